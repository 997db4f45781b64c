//! Each typed setter reaches its option, with each end of its range: `table.rs` has them all.

use chargewire::*;
use std::time::Duration;

macro_rules! options {
    ($($setter:ident, $value:expr, $key:expr, $reads:expr;)*) => {
        #[test]
        fn each_setter_reaches_its_option() {
            $(
                let config = Config::builder().$setter($value).build().expect($key);
                assert_eq!(config.get($key).unwrap(), $reads, "{}", $key);
            )*
        }
    };
}

include!("table.rs");

//! Each typed setter reaches its option, with each end of its range, and each getter gives it back: `table.rs` has them all.

use chargewire::*;
use std::path::Path;
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

macro_rules! getters {
    ($($name:ident, $value:expr, $reads:expr;)*) => {
        #[test]
        fn each_getter_gives_what_was_set() {
            $(
                let config = Config::builder().$name($value).build().expect(stringify!($name));
                assert_eq!(config.$name().unwrap(), $reads, "{}", stringify!($name));
            )*
        }
    };
}

include!("table.rs");

#[test]
fn the_crate_has_the_version_of_the_header() {
    assert_eq!(env!("CARGO_PKG_VERSION"), VERSION);
}

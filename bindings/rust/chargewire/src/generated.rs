//! What is made from the header and the option table.

pub(crate) mod enums;
pub(crate) mod options;
pub(crate) mod status;

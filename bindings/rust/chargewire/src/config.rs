//! A set of options. The typed setters are in `generated/options.rs`.

use crate::ffi::{c_string, check, explained, text_of, whole_milliseconds};
use crate::Error;
use chargewire_sys as sys;
use std::borrow::Cow;
use std::fmt;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::ptr::NonNull;
use std::time::Duration;

/// A set of options: those that were set, and defaults for all others. Whoever takes one copies it.
///
/// ```
/// use chargewire::{Config, Protocol};
/// use std::time::Duration;
///
/// let config = Config::builder()
///     .default_url("wss://csms.example/ocpp")
///     .protocol([Protocol::V2_0_1, Protocol::V1_6])
///     .ping_interval(Duration::from_secs(20))
///     .build()?;
/// assert_eq!(config.ping_interval()?, Duration::from_secs(20));
/// assert_eq!(config.get("csms.ping_interval")?, "20s");
/// # Ok::<(), chargewire::Error>(())
/// ```
pub struct Config {
    token: NonNull<sys::cwire_config_token>,
}

// SAFETY: a token, which the library takes from any thread.
unsafe impl Send for Config {}
// SAFETY: likewise; and the library guards the configuration against concurrent calls.
unsafe impl Sync for Config {}

impl Config {
    /// All defaults.
    pub fn new() -> Result<Config, Error> {
        let mut token = std::ptr::null_mut();
        // SAFETY: `token` is good for the call.
        check(unsafe { sys::cwire_config_new(&mut token) })?;
        Ok(Config::owning(token))
    }

    /// From a file of YAML. An error names the file, the line, the key and what was expected.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Config, Error> {
        Config::builder().load_file(path).build()
    }

    /// From YAML.
    pub fn from_yaml(yaml: &str) -> Result<Config, Error> {
        Config::builder().load_yaml(yaml).build()
    }

    /// Begins with all defaults.
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder {
            config: Config::new(),
        }
    }

    /// Begins with what is set here.
    pub fn to_builder(&self) -> ConfigBuilder {
        ConfigBuilder {
            config: self.try_clone(),
        }
    }

    /// An independent copy.
    pub fn try_clone(&self) -> Result<Config, Error> {
        let mut token = std::ptr::null_mut();
        // SAFETY: `token` is good for the call.
        check(unsafe { sys::cwire_config_copy(self.token(), &mut token) })?;
        Ok(Config::owning(token))
    }

    /// The value of an option as text, by its key: "30s" for `csms.ping_interval`. Secrets read as `***`.
    pub fn get(&self, key: &str) -> Result<String, Error> {
        let c_key = c_string(key, "the key of an option")?;
        // SAFETY: `buffer` has `capacity` bytes.
        text_of(64, |buffer, capacity, needed| unsafe {
            sys::cwire_config_get(self.token(), c_key.as_ptr(), buffer, capacity, needed)
        })
        .map_err(|error| match error {
            Error::Config(_) => {
                Error::Config(format!("there is no option \"{key}\"; see Config::schema").into())
            }
            error => error,
        })
    }

    pub(crate) fn read<T: Read>(&self, key: &str) -> Result<T, Error> {
        let text = self.get(key)?;
        T::read(&text).ok_or_else(|| {
            Error::Internal(
                format!("{key} is {text}, which this version of the crate does not know").into(),
            )
        })
    }

    /// All options as JSON: key, type, default, range, description.
    pub fn schema() -> &'static str {
        // SAFETY: static text.
        unsafe { crate::ffi::text(sys::cwire_config_schema()) }
    }

    pub(crate) fn token(&self) -> sys::cwire_config {
        self.token.as_ptr()
    }

    fn owning(token: sys::cwire_config) -> Config {
        Config {
            token: NonNull::new(token).expect("a call that succeeded gave a token"),
        }
    }
}

impl Drop for Config {
    fn drop(&mut self) {
        // SAFETY: takes any token.
        unsafe { sys::cwire_config_free(self.token()) };
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").finish_non_exhaustive()
    }
}

/// Sets options one after the other; [`build`](ConfigBuilder::build) says what was wrong first, if anything was. What comes later
/// replaces what came before.
#[derive(Debug)]
#[must_use = "build() makes the configuration"]
pub struct ConfigBuilder {
    config: Result<Config, Error>,
}

impl ConfigBuilder {
    /// The configuration, or the first thing that was wrong.
    pub fn build(self) -> Result<Config, Error> {
        self.config
    }

    /// Reads a file of YAML, whole or not at all.
    pub fn load_file(self, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        self.and(|config| {
            let path = c_string(path_text(path)?, "the path of a configuration file")?;
            // SAFETY: `path` ends in NUL, and `error` is good for the call.
            explained(|error| unsafe {
                sys::cwire_config_load_file(config.token(), path.as_ptr(), error)
            })
        })
    }

    /// Reads YAML, whole or not at all.
    pub fn load_yaml(self, yaml: &str) -> Self {
        self.and(|config| {
            // SAFETY: `yaml` has as many bytes as is said, and `error` is good for the call.
            explained(|error| unsafe {
                sys::cwire_config_load_yaml(config.token(), yaml.as_ptr().cast(), yaml.len(), error)
            })
        })
    }

    /// Sets an option by its key and as it is written in YAML: `set("csms.ping_interval", "30s")`. For each there is a typed setter.
    pub fn set(self, key: &str, value: &str) -> Self {
        self.and(|config| {
            let key = c_string(key, "the key of an option")?;
            let value = c_string(value, "the value of an option")?;
            // SAFETY: both end in NUL, and `error` is good for the call.
            explained(|error| unsafe {
                sys::cwire_config_set(config.token(), key.as_ptr(), value.as_ptr(), error)
            })
        })
    }

    pub(crate) fn put(self, key: &str, value: impl Value) -> Self {
        match value.text() {
            Ok(text) => self.set(key, &text),
            Err(error) => self.and(|_| Err(error)),
        }
    }

    pub(crate) fn put_list<T: Value>(self, key: &str, values: impl IntoIterator<Item = T>) -> Self {
        let texts: Result<Vec<String>, Error> = values
            .into_iter()
            .map(|value| value.text().map(Cow::into_owned))
            .collect();
        match texts {
            Ok(texts) => self.set(key, &texts.join(", ")),
            Err(error) => self.and(|_| Err(error)),
        }
    }

    /// Goes on with what there is. Once something was wrong nothing more is done.
    fn and(self, change: impl FnOnce(&Config) -> Result<i32, Error>) -> Self {
        let config = self.config.and_then(|config| {
            change(&config)?;
            Ok(config)
        });
        ConfigBuilder { config }
    }
}

/// How a value is written in YAML.
pub(crate) trait Value {
    fn text(&self) -> Result<Cow<'_, str>, Error>;
}

macro_rules! as_displayed {
    ($($type:ty),*) => {$(
        impl Value for $type {
            fn text(&self) -> Result<Cow<'_, str>, Error> {
                Ok(self.to_string().into())
            }
        }
    )*};
}
as_displayed!(bool, u32, u64, f64, IpAddr);

impl Value for &str {
    fn text(&self) -> Result<Cow<'_, str>, Error> {
        Ok((*self).into())
    }
}

impl Value for &Path {
    fn text(&self) -> Result<Cow<'_, str>, Error> {
        path_text(self).map(Cow::from)
    }
}

impl Value for Duration {
    fn text(&self) -> Result<Cow<'_, str>, Error> {
        Ok(format!("{}ms", whole_milliseconds(*self)).into())
    }
}

fn path_text(path: &Path) -> Result<&str, Error> {
    path.to_str().ok_or_else(|| {
        Error::InvalidArgument(
            format!("the path {} is not UTF-8; rename it", path.display()).into(),
        )
    })
}

/// What a value is, from how the library writes it.
pub(crate) trait Read: Sized {
    fn read(text: &str) -> Option<Self>;
}

macro_rules! as_parsed {
    ($($type:ty),*) => {$(
        impl Read for $type {
            fn read(text: &str) -> Option<Self> {
                text.parse().ok()
            }
        }
    )*};
}
as_parsed!(bool, u32, String, PathBuf);

/// A size.
impl Read for u64 {
    fn read(text: &str) -> Option<Self> {
        sum(
            text,
            &[
                ("GiB", 1 << 30),
                ("MiB", 1 << 20),
                ("KiB", 1 << 10),
                ("B", 1),
            ],
        )
    }
}

impl Read for Duration {
    fn read(text: &str) -> Option<Self> {
        sum(
            text,
            &[("h", 3_600_000), ("ms", 1), ("m", 60_000), ("s", 1000)],
        )
        .map(Duration::from_millis)
    }
}

/// A share.
impl Read for f64 {
    fn read(text: &str) -> Option<Self> {
        Some(text.strip_suffix('%')?.parse::<f64>().ok()? / 100.0)
    }
}

impl Read for Option<IpAddr> {
    fn read(text: &str) -> Option<Self> {
        Some(if text.is_empty() {
            None
        } else {
            Some(text.parse().ok()?)
        })
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(text: &str) -> Option<Self> {
        text.split(", ").map(T::read).collect()
    }
}

/// "1m30s": numbers with their units, of which a longer one stands before the one that it begins with.
fn sum(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let mut rest = text;
    let mut sum = 0;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let number: u64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let (unit, each) = units.iter().find(|(unit, _)| rest.starts_with(unit))?;
        sum += number.checked_mul(*each)?;
        rest = &rest[unit.len()..];
    }
    Some(sum)
}

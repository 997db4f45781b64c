//! Finds libchargewire: in the directory that CHARGEWIRE_LIB_DIR names, or else by pkg-config. With CHARGEWIRE_STATIC it is linked into the
//! program; what it needs itself only pkg-config knows.
//!
//! A directory that the loader does not search by itself is linked to from OUT_DIR, and what lies there cargo shows to the loader:
//! so `cargo run` and `cargo test` find the library without LD_LIBRARY_PATH.

use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

/// Releases of the library add to those before.
const VERSION_NEEDED: &str = concat!(
    env!("CARGO_PKG_VERSION_MAJOR"),
    ".",
    env!("CARGO_PKG_VERSION_MINOR")
);

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    for variable in [
        "CHARGEWIRE_LIB_DIR",
        "CHARGEWIRE_STATIC",
        "PKG_CONFIG",
        "PKG_CONFIG_PATH",
        "PKG_CONFIG_LIBDIR",
        "PKG_CONFIG_SYSROOT_DIR",
    ] {
        println!("cargo:rerun-if-env-changed={variable}");
    }
    if env::var_os("DOCS_RS").is_some() {
        return; // documentation needs no library
    }
    if let Err(message) = find() {
        eprintln!("{message}");
        process::exit(1);
    }
}

fn find() -> Result<(), String> {
    let linked_in = env::var_os("CHARGEWIRE_STATIC").map_or(false, |value| value != "0");
    match env::var_os("CHARGEWIRE_LIB_DIR") {
        Some(directory) if !linked_in => by_directory(&PathBuf::from(directory)),
        _ => by_pkg_config(linked_in),
    }
}

fn by_directory(directory: &Path) -> Result<(), String> {
    if !directory.join("libchargewire.so").exists() {
        return Err(format!(
            "CHARGEWIRE_LIB_DIR is {}, where there is no libchargewire.so. Set it to the directory that has it, \
             <prefix>/lib of an installed Chargewire, or unset it to ask pkg-config.",
            directory.display()
        ));
    }
    println!("cargo:rustc-link-lib=dylib=chargewire");
    search(directory)?;
    // Of a build tree there is no include directory beside it.
    if let Some(include) = directory.parent().map(|prefix| prefix.join("include")) {
        if include.join("chargewire/chargewire.h").exists() {
            include_from(&include);
        }
    }
    Ok(())
}

fn by_pkg_config(linked_in: bool) -> Result<(), String> {
    let program = env::var_os("PKG_CONFIG").unwrap_or_else(|| "pkg-config".into());
    let needed = format!("chargewire >= {VERSION_NEEDED}");
    let output = Command::new(&program)
        .args(["--print-errors", "--cflags", "--libs", &needed])
        .args(linked_in.then_some("--static"))
        .output()
        .map_err(|error| {
            not_found(&format!(
                "{} does not run: {error}",
                program.to_string_lossy()
            ))
        })?;
    if !output.status.success() {
        return Err(not_found(String::from_utf8_lossy(&output.stderr).trim()));
    }
    for flag in String::from_utf8_lossy(&output.stdout).split_whitespace() {
        match flag.get(..2) {
            Some("-L") if linked_in => println!("cargo:rustc-link-search=native={}", &flag[2..]),
            Some("-L") => search(Path::new(&flag[2..]))?,
            Some("-l") if linked_in && flag == "-lchargewire" => {
                println!("cargo:rustc-link-lib=static=chargewire")
            }
            Some("-l") => println!("cargo:rustc-link-lib=dylib={}", &flag[2..]),
            Some("-I") => include_from(Path::new(&flag[2..])),
            _ => {}
        }
    }
    Ok(())
}

fn not_found(why: &str) -> String {
    format!(
        "libchargewire {VERSION_NEEDED} or newer was not found. Install the package libchargewire-dev and pkg-config, or build \
         Chargewire from source (`cmake --install`) and set PKG_CONFIG_PATH to <prefix>/lib/pkgconfig or CHARGEWIRE_LIB_DIR to \
         <prefix>/lib.\n{why}"
    )
}

/// For build scripts of dependents: DEP_CHARGEWIRE_INCLUDE; for the test of the ABI: CHARGEWIRE_INCLUDE.
fn include_from(directory: &Path) {
    println!("cargo:include={}", directory.display());
    println!("cargo:rustc-env=CHARGEWIRE_INCLUDE={}", directory.display());
}

/// For the linker, for the loader, and for build scripts of dependents: DEP_CHARGEWIRE_LIB_DIR.
fn search(directory: &Path) -> Result<(), String> {
    println!("cargo:rustc-link-search=native={}", directory.display());
    println!("cargo:lib_dir={}", directory.display());
    println!(
        "cargo:rerun-if-changed={}",
        directory.join("libchargewire.so").display()
    );
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR")).join("lib");
    link_library(directory, &out).map_err(|error| {
        format!(
            "cannot link the library from {} to {}: {error}",
            directory.display(),
            out.display()
        )
    })?;
    println!("cargo:rustc-link-search=native={}", out.display());
    Ok(())
}

fn link_library(from: &Path, to: &Path) -> io::Result<()> {
    if to.exists() {
        fs::remove_dir_all(to)?; // of another time, perhaps of another library
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry
            .file_name()
            .to_string_lossy()
            .starts_with("libchargewire.so")
        {
            symlink(entry.path().canonicalize()?, to.join(entry.file_name()))?;
        }
    }
    Ok(())
}

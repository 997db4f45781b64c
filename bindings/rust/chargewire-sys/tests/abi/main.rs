//! The declarations against the library that was built, and against the header beside it: every symbol, size, alignment, offset and
//! number. `table.rs` has what `chargewire.h` said when the declarations were made.

use chargewire_sys::*;
use std::ffi::CStr;
use std::fmt::Write as _;
use std::io::Write as _;
use std::mem::{align_of, size_of, MaybeUninit};
use std::process::{Command, Stdio};
use std::ptr::addr_of;

/// How Rust lays out a structure, and how C did.
struct Layout {
    name: &'static str,
    size: [usize; 2],
    alignment: [usize; 2],
    fields: Vec<Field>,
}

struct Field {
    name: &'static str,
    offset: [usize; 2],
    size: [usize; 2],
}

struct Function {
    name: &'static str,
    address: usize,
    result: &'static str,
    parameters: &'static str,
}

fn size_of_target<T>(_: *const T) -> usize {
    size_of::<T>()
}

macro_rules! layouts {
    ($($name:ident, $size:expr, $alignment:expr, { $($field:ident, $c_name:expr, $offset:expr, $field_size:expr;)* })*) => {
        fn layouts() -> Vec<Layout> {
            vec![$({
                let value = MaybeUninit::<$name>::uninit();
                let base = value.as_ptr();
                Layout {
                    name: stringify!($name),
                    size: [size_of::<$name>(), $size],
                    alignment: [align_of::<$name>(), $alignment],
                    fields: vec![$({
                        // SAFETY: an address inside of `value`, which is not read.
                        let field = unsafe { addr_of!((*base).$field) };
                        Field {
                            name: $c_name,
                            offset: [field as usize - base as usize, $offset],
                            size: [size_of_target(field), $field_size],
                        }
                    }),*],
                }
            }),*]
        }
    };
}

macro_rules! constants {
    ($($name:ident, $value:expr;)*) => {
        fn constants() -> Vec<(&'static str, [i64; 2])> {
            vec![$((stringify!($name), [i64::from($name), $value])),*]
        }
    };
}

macro_rules! functions {
    ($($name:ident, $result:expr, $parameters:expr;)*) => {
        fn functions() -> Vec<Function> {
            vec![$(Function {
                name: stringify!($name),
                address: $name as *const () as usize,
                result: $result,
                parameters: $parameters,
            }),*]
        }
    };
}

include!("table.rs");

#[test]
fn structures_are_laid_out_as_in_c() {
    for layout in layouts() {
        assert_eq!(layout.size[0], layout.size[1], "size of {}", layout.name);
        assert_eq!(
            layout.alignment[0], layout.alignment[1],
            "alignment of {}",
            layout.name
        );
        for field in layout.fields {
            assert_eq!(
                field.offset[0], field.offset[1],
                "offset of {}.{}",
                layout.name, field.name
            );
            assert_eq!(
                field.size[0], field.size[1],
                "size of {}.{}",
                layout.name, field.name
            );
        }
    }
}

#[test]
fn constants_are_those_of_c() {
    for (name, value) in constants() {
        assert_eq!(value[0], value[1], "{name}");
    }
}

#[test]
fn the_crate_has_the_version_of_the_header() {
    assert_eq!(env!("CARGO_PKG_VERSION"), VERSION);
}

extern "C" {
    fn dlsym(
        handle: *mut std::ffi::c_void,
        name: *const std::os::raw::c_char,
    ) -> *mut std::ffi::c_void;
}

/// The program links to each of them, so it would not have started without; and each is what the loader has by that name.
#[test]
fn the_library_has_every_symbol() {
    for function in functions() {
        let name = format!("{}\0", function.name);
        // SAFETY: RTLD_DEFAULT is NULL, and the name ends in NUL.
        let found = unsafe { dlsym(std::ptr::null_mut(), name.as_ptr().cast()) };
        assert!(!found.is_null(), "{} is not in the library", function.name);
        assert_eq!(found as usize, function.address, "{}", function.name);
    }
}

#[test]
fn the_library_is_of_this_abi_or_newer() {
    // SAFETY: both take nothing; the text is static.
    let (abi, version) = unsafe { (cwire_abi_version(), CStr::from_ptr(cwire_version())) };
    assert!(
        abi >= CWIRE_ABI_VERSION,
        "the library is {version:?} with ABI {abi}"
    );
}

/// What Rust says, held against the header by a C compiler.
#[test]
fn the_header_says_the_same() {
    let include = match option_env!("CHARGEWIRE_INCLUDE") {
        Some(include) => include,
        None if cfg!(target_os = "linux")
            && std::path::Path::new("/usr/include/chargewire/chargewire.h").exists() =>
        {
            "/usr/include"
        }
        None => return eprintln!("skipped: no chargewire.h beside the library"),
    };
    let mut c = String::from("#include <chargewire/chargewire.h>\n");
    for layout in layouts() {
        let name = layout.name;
        writeln!(
            c,
            "_Static_assert(sizeof({name}) == {}, \"size of {name}\");",
            layout.size[0]
        )
        .unwrap();
        writeln!(
            c,
            "_Static_assert(_Alignof({name}) == {}, \"alignment of {name}\");",
            layout.alignment[0]
        )
        .unwrap();
        for field in &layout.fields {
            let (of, offset, size) = (field.name, field.offset[0], field.size[0]);
            writeln!(
                c,
                "_Static_assert(offsetof({name}, {of}) == {offset}, \"offset of {name}.{of}\");"
            )
            .unwrap();
            writeln!(
                c,
                "_Static_assert(sizeof((({name} *)0)->{of}) == {size}, \"size of {name}.{of}\");"
            )
            .unwrap();
        }
    }
    for (name, value) in constants() {
        writeln!(c, "_Static_assert({name} == {}, \"{name}\");", value[0]).unwrap();
    }
    for function in functions() {
        let (name, result, parameters) = (function.name, function.result, function.parameters);
        writeln!(c, "{result} (*const check_{name}){parameters} = {name};").unwrap();
    }
    let compiler = Command::new("cc")
        .args([
            "-std=c11",
            "-Wall",
            "-Werror",
            "-fsyntax-only",
            "-I",
            include,
            "-x",
            "c",
            "-",
        ])
        .stdin(Stdio::piped())
        .spawn();
    let mut compiler = match compiler {
        Ok(compiler) => compiler,
        Err(error) => return eprintln!("skipped: cc does not run: {error}"),
    };
    compiler
        .stdin
        .take()
        .unwrap()
        .write_all(c.as_bytes())
        .unwrap();
    assert!(
        compiler.wait().unwrap().success(),
        "the header differs, see above"
    );
}

//! Finds the system library with pkg-config, and compiles the C code of the project.

use std::process::exit;

const INSTALL: &str = "
    Debian, Ubuntu:  apt install pkg-config liblzma-dev
    Fedora, RHEL:    dnf install pkgconf xz-devel
    Alpine:          apk add pkgconf xz-dev
    macOS:           brew install pkgconf xz
    Windows:         vcpkg install --triplet x64-windows-static-md pkgconf liblzma; see CONTRIBUTING.md";

pub fn link() {
    let mut search = pkg_config::Config::new();
    search.atleast_version("5.2"); // of liblzma
    let library = search
        .cargo_metadata(false)
        .probe("liblzma")
        .unwrap_or_else(|error| {
            eprintln!("error: pkg-config did not find liblzma 5.2 or later. Install it:{INSTALL}\n\n{error}");
            exit(1)
        });

    let mut code = cc::Build::new();
    code.file("src/checksum.c").includes(&library.include_paths);
    for (name, value) in &library.defines {
        code.define(name, value.as_deref());
    }
    println!("cargo::rerun-if-changed=src/checksum.c");
    code.compile("checksum");

    // After the code that uses it: linkers drop libraries that nothing before them needs.
    for path in &library.link_paths {
        println!("cargo::rustc-link-search=native={}", path.display());
    }
    for name in &library.libs {
        println!("cargo::rustc-link-lib={name}");
    }
}

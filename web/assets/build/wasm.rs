//! Builds `web/crypto` for browsers: a cargo within the outer one, then the glue between WebAssembly and JavaScript (wasm-bindgen).
//! Needs the toolchain's target `wasm32-unknown-unknown`, which `rust-toolchain.toml` asks for.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

const PACKAGE: &str = "webcall-crypto";
const TARGET: &str = "wasm32-unknown-unknown";
/// `[profile.wasm]` of the workspace.
const PROFILE: &str = "wasm";

/// The two files of the client's cryptography: its JavaScript glue and the WebAssembly itself.
pub(crate) struct Built {
    pub(crate) glue: PathBuf,
    pub(crate) wasm: PathBuf,
}

/// `root`: of the workspace; `out`: where this build may write.
pub(crate) fn build(root: &Path, out: &Path) -> Built {
    for source in ["web/crypto/src", "web/crypto/Cargo.toml", "trust/src", "trust/Cargo.toml", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", root.join(source).display());
    }
    have_target();
    let plain = compile(root, out);
    wasm_bindgen_cli_support::Bindgen::new()
        .input_path(&plain)
        .out_name("crypto")
        .web(true)
        .unwrap_or_else(|error| panic!("wasm-bindgen: {error:#}"))
        .typescript(false)
        .omit_default_module_path(true) // the worker says where the WebAssembly is
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(out)
        .unwrap_or_else(|error| panic!("wasm-bindgen: {error:#}"));
    Built { glue: out.join("crypto.js"), wasm: out.join("crypto_bg.wasm") }
}

fn compile(root: &Path, out: &Path) -> PathBuf {
    // A target directory of its own: the outer cargo has a lock on its one while this runs. Beside the profiles' directories, so that
    // debug, release, clippy and tests share one build.
    let target = target_directory(out).join("crypto-wasm");
    let mut cargo = Command::new(env::var_os("CARGO").expect("cargo sets it"));
    cargo.current_dir(root).args(["rustc", "--locked", "--lib", "--crate-type", "cdylib"]);
    cargo.args(["--package", PACKAGE, "--profile", PROFILE, "--target", TARGET, "--target-dir"]).arg(&target);
    // What the outer call set for the host is not meant for this build.
    for (name, _) in env::vars_os() {
        if name.to_str().is_some_and(is_for_host) {
            cargo.env_remove(name);
        }
    }
    // Paths in panic messages are made neutral: the same bytes on every machine, and nobody's home directory in a public file. Set here,
    // not added to, so that flags of a configuration file do not reach the build either.
    let cargo_home = env::var_os("CARGO_HOME").map_or_else(|| home().join(".cargo"), PathBuf::from);
    let flags = [(cargo_home.as_path(), "/cargo"), (root, "/src")]
        .map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()));
    cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
    let status = cargo.status().unwrap_or_else(|error| panic!("cannot start cargo: {error}"));
    assert!(status.success(), "{PACKAGE} could not be built for {TARGET}; the reason stands above");
    target.join(TARGET).join(PROFILE).join("webcall_crypto.wasm")
}

fn is_for_host(name: &str) -> bool {
    name.starts_with("CARGO_PROFILE_")
        || matches!(
            name,
            "RUSTC_WORKSPACE_WRAPPER"
                | "RUSTFLAGS"
                | "CARGO_BUILD_TARGET"
                | "CARGO_TARGET_DIR"
                | "CARGO_BUILD_TARGET_DIR"
                | "CARGO_BUILD_BUILD_DIR"
        )
}

fn home() -> PathBuf {
    env::home_dir().expect("a home directory, or CARGO_HOME")
}

/// Cargo's target directory, wherever it was put. Cargo marks it with CACHEDIR.TAG, and with `--target` the directory of that triple in it
/// as well.
fn target_directory(out: &Path) -> PathBuf {
    let triple = env::var_os("TARGET").expect("cargo sets it");
    let is_it = |directory: &&Path| directory.join("CACHEDIR.TAG").is_file() && directory.file_name() != Some(&triple);
    out.ancestors().find(is_it).unwrap_or(out).to_owned()
}

/// rustup adds the target by itself as `rust-toolchain.toml` says, unless that is switched off.
fn have_target() {
    let print = Command::new(env::var_os("RUSTC").expect("cargo sets it")).args(["--print", "sysroot"]).output();
    let print = print.unwrap_or_else(|error| panic!("cannot start rustc: {error}"));
    let library = Path::new(String::from_utf8_lossy(&print.stdout).trim()).join("lib/rustlib").join(TARGET).join("lib");
    println!("cargo::rerun-if-changed={}", library.display());
    if library.is_dir() {
        return;
    }
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]);
    if let Some(toolchain) = env::var_os("RUSTUP_TOOLCHAIN") {
        rustup.arg("--toolchain").arg(toolchain);
    }
    let added = rustup.status().is_ok_and(|status| status.success()) && library.is_dir();
    assert!(added, "the Rust target {TARGET} is missing; `rustup target add {TARGET}` installs it");
}

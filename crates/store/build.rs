//! Nothing is built here: the package has a build script so that it may have a build dependency,
//! see `Cargo.toml`.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
}

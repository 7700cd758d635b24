//! The migrations are put into the binary (`sqlx::migrate!`), which must be built again when one is added.

fn main() {
    println!("cargo::rerun-if-changed=migrations");
}

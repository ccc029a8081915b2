fn main() {
    // The server puts memory back after each evaluation: a stack of a megabyte is most of it, and stays empty.
    println!("cargo::rustc-link-arg-cdylib=-zstack-size=131072");
}

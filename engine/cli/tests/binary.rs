//! The binary answers. (That this file exists makes `cargo test` build the binary the end-to-end tests drive.)

use std::process::Command;

#[test]
fn it_tells_its_version() {
    let output = Command::new(env!("CARGO_BIN_EXE_towpath")).arg("--version").output().expect("the binary starts");
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).expect("text");
    assert_eq!(text.trim(), format!("towpath {}", env!("CARGO_PKG_VERSION")));
}

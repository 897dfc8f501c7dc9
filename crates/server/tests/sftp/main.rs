//! The SFTP server from outside: with a client in Rust, and with OpenSSH's where it is installed.

#![cfg(unix)]

mod openssh;
mod plain;
mod rules;
mod world;

//! A mounted file system on which power can fail, space can run out, and writing can be forbidden.
//!
//! It keeps what an `fsync` of the file (content) or of its folder (names) made durable, and nothing
//! else; stricter than most file systems, so whoever relies on one of them being kind is found out.
//! [`mount`] is what tests hold, [`fuse`] speaks to the kernel, [`tree`] decides what there is, and
//! [`content`] what of a file survives.

mod content;
mod fuse;
mod mount;
mod tree;

pub use mount::LossyFs;

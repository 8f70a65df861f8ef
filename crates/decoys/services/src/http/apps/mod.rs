//! Applications that may be installed on the web server: pages by path, log-in forms that capture.

mod phpmyadmin;
mod tomcat;
mod wordpress;

use super::parser::Head;
use super::personality::Page;

/// What an application sees of a request.
pub(super) struct Visit<'r> {
    pub(super) head: &'r Head,
    pub(super) path: &'r [u8],
    pub(super) body: &'r [u8],
    /// Host name the machine answers with.
    pub(super) host: &'r str,
    /// `http` or `https`.
    pub(super) scheme: &'static str,
    /// 32 bytes that are new each time, for tokens.
    pub(super) fresh: &'r [u8; 32],
}

/// The page of application `name`, if the path is one of its.
pub(super) fn page(name: &str, visit: &Visit<'_>) -> Option<Page> {
    match name {
        "wordpress" => wordpress::page(visit),
        "phpmyadmin" => phpmyadmin::page(visit),
        "tomcat" => tomcat::page(visit),
        _ => None,
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

//! phpMyAdmin's log-in page.

use super::{Visit, hex};
use crate::http::personality::Page;

pub(super) fn page(visit: &Visit<'_>) -> Option<Page> {
    match visit.path {
        b"/" => Some(Page::html(302, "").with("Location", "/phpmyadmin/")),
        b"/phpmyadmin" => {
            let to = format!("{}://{}/phpmyadmin/", visit.scheme, visit.host);
            Some(Page::html(301, "").with("Location", to))
        }
        b"/phpmyadmin/" | b"/phpmyadmin/index.php" | b"/pma/" => Some(login(visit)),
        _ => None,
    }
}

fn login(visit: &Visit<'_>) -> Page {
    let token = hex(visit.fresh.get(..16).unwrap_or_default());
    let session = hex(visit.fresh.get(16..).unwrap_or_default());
    let error = if visit.head.method == b"POST" {
        "<div class=\"alert alert-danger\" role=\"alert\">\n<img src=\"themes/dot.gif\" title=\"\" \
         alt=\"\" class=\"icon ic_s_error\"> mysqli::real_connect(): (HY000/1045): Access denied for \
         user &#039;root&#039;@&#039;localhost&#039; (using password: YES)</div>\n"
    } else {
        ""
    };
    let body = format!(
        "<!doctype html>\n<html lang=\"en\" dir=\"ltr\">\n<head>\n  <meta charset=\"utf-8\">\n  <meta \
         name=\"robots\" content=\"noindex,nofollow\">\n  <title>phpMyAdmin</title>\n</head>\n\
         <body id=loginform>\n<div class=\"container\"><h1>Welcome to <bdo dir=\"ltr\" \
         lang=\"en\">phpMyAdmin</bdo></h1>\n{error}<form method=\"post\" \
         id=\"login_form\" action=\"index.php?route=/\" name=\"login_form\" class=\"disableAjax hide \
         js-show\">\n<input type=\"hidden\" name=\"set_session\" value=\"{session}\">\n<label \
         for=\"input_username\">Username:</label>\n<input type=\"text\" name=\"pma_username\" \
         id=\"input_username\" value=\"\" class=\"form-control\">\n<label \
         for=\"input_password\">Password:</label>\n<input type=\"password\" name=\"pma_password\" \
         id=\"input_password\" value=\"\" class=\"form-control\">\n<input type=\"hidden\" \
         name=\"server\" value=\"1\">\n<input type=\"hidden\" name=\"token\" value=\"{token}\">\n\
         <input class=\"btn btn-primary\" value=\"Log in\" type=\"submit\" id=\"input_go\">\n</form>\n\
         </div>\n</body>\n</html>\n"
    );
    Page::html(200, body)
        .with(
            "Set-Cookie",
            format!("phpMyAdmin={session}; path=/phpmyadmin/; HttpOnly; SameSite=Strict"),
        )
        .with("X-ob_mode", "1")
        .with("X-Frame-Options", "DENY")
        .with(
            "Cache-Control",
            "no-store, no-cache, must-revalidate,  pre-check=0, post-check=0, max-age=0",
        )
}

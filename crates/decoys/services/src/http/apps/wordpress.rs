//! A WordPress site: front page, log-in, XML-RPC and the users endpoint that scanners ask for.

use super::Visit;
use crate::http::personality::{Page, escaped};

pub(super) fn page(visit: &Visit<'_>) -> Option<Page> {
    let post = visit.head.method == b"POST";
    match visit.path {
        b"/" | b"/index.php" => Some(front(visit)),
        b"/wp-login.php" => Some(login(visit, post)),
        b"/wp-admin" | b"/wp-admin/" => {
            let to = format!(
                "{}://{}/wp-login.php?redirect_to=%2Fwp-admin%2F&reauth=1",
                visit.scheme, visit.host
            );
            Some(Page::html(302, "").with("Location", to))
        }
        b"/xmlrpc.php" if post => Some(xmlrpc(visit)),
        b"/xmlrpc.php" => {
            let page = Page::html(405, "XML-RPC server accepts POST requests only.");
            Some(Page { content_type: "text/plain;charset=UTF-8", ..page.with("Allow", "POST") })
        }
        b"/wp-json/wp/v2/users" | b"/wp-json/wp/v2/users/" => {
            let body = format!(
                "[{{\"id\":1,\"name\":\"admin\",\"url\":\"{1}://{0}\",\"description\":\"\",\
                 \"link\":\"{1}://{0}/author/admin/\",\"slug\":\"admin\"}}]",
                escaped(visit.host.as_bytes()),
                visit.scheme
            );
            let page = Page::html(200, body);
            Some(Page { content_type: "application/json; charset=UTF-8", ..page })
        }
        b"/robots.txt" => {
            let body = "User-agent: *\nDisallow: /wp-admin/\nAllow: /wp-admin/admin-ajax.php\n";
            Some(Page { content_type: "text/plain; charset=utf-8", ..Page::html(200, body) })
        }
        _ => None,
    }
}

fn front(visit: &Visit<'_>) -> Page {
    let (host, scheme) = (escaped(visit.host.as_bytes()), visit.scheme);
    let body = format!(
        "<!DOCTYPE html>\n<html lang=\"en-US\">\n<head>\n<meta charset=\"UTF-8\" />\n\
         <meta name=\"generator\" content=\"WordPress 6.4.3\" />\n<title>{host}</title>\n\
         <link rel=\"https://api.w.org/\" href=\"{scheme}://{host}/wp-json/\" />\n</head>\n\
         <body class=\"home blog\">\n<h1 class=\"wp-block-site-title\">{host}</h1>\n\
         <h2><a href=\"{scheme}://{host}/?p=1\">Hello world!</a></h2>\n\
         <p>Welcome to WordPress. This is your first post. Edit or delete it, then start writing!</p>\n\
         <p><a href=\"{scheme}://{host}/wp-login.php\">Log in</a></p>\n</body>\n</html>\n"
    );
    Page::html(200, body)
        .with("Link", format!("<{scheme}://{}/wp-json/>; rel=\"https://api.w.org/\"", visit.host))
}

fn login(visit: &Visit<'_>, post: bool) -> Page {
    let (host, scheme) = (escaped(visit.host.as_bytes()), visit.scheme);
    let error = if post {
        "<div id=\"login_error\" class=\"notice notice-error\"><p><strong>Error:</strong> The \
         password you entered is incorrect. <a href=\"/wp-login.php?action=lostpassword\">Lost your \
         password?</a></p></div>\n"
    } else {
        ""
    };
    let body = format!(
        "<!DOCTYPE html>\n<html lang=\"en-US\">\n<head>\n<meta http-equiv=\"Content-Type\" \
         content=\"text/html; charset=UTF-8\" />\n<title>Log In &lsaquo; {host} &#8212; \
         WordPress</title>\n<meta name='robots' content='max-image-preview:large, noindex, noarchive' \
         />\n</head>\n<body class=\"login no-js login-action-login wp-core-ui  locale-en-us\">\n\
         <div id=\"login\">\n<h1><a href=\"https://wordpress.org/\">Powered by WordPress</a></h1>\n\
         {error}<form name=\"loginform\" id=\"loginform\" action=\"{scheme}://{host}/wp-login.php\" \
         method=\"post\">\n<p><label for=\"user_login\">Username or Email Address</label>\n<input \
         type=\"text\" name=\"log\" id=\"user_login\" class=\"input\" value=\"\" size=\"20\" /></p>\n\
         <p><label for=\"user_pass\">Password</label>\n<input type=\"password\" name=\"pwd\" \
         id=\"user_pass\" class=\"input password-input\" value=\"\" size=\"20\" /></p>\n<p \
         class=\"submit\"><input type=\"submit\" name=\"wp-submit\" id=\"wp-submit\" \
         class=\"button button-primary button-large\" value=\"Log In\" /></p>\n</form>\n</div>\n\
         </body>\n</html>\n"
    );
    let cookie = "wordpress_test_cookie=WP%20Cookie%20check; path=/";
    Page::html(200, body)
        .with("Expires", "Wed, 11 Jan 1984 05:00:00 GMT")
        .with("Cache-Control", "no-cache, must-revalidate, max-age=0")
        .with("Set-Cookie", cookie)
        .with("X-Frame-Options", "SAMEORIGIN")
}

fn xmlrpc(visit: &Visit<'_>) -> Page {
    let says = |word: &[u8]| visit.body.windows(word.len()).any(|part| part == word);
    let body = if says(b"system.listMethods") {
        let methods =
            ["system.multicall", "system.listMethods", "pingback.ping", "wp.getUsersBlogs"];
        let values: String = methods
            .iter()
            .map(|method| format!("      <value><string>{method}</string></value>\n"))
            .collect();
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<methodResponse>\n  <params>\n    <param>\n      \
             <value>\n      <array><data>\n{values}</data></array>\n      </value>\n    </param>\n  \
             </params>\n</methodResponse>\n"
        )
    } else {
        fault(403, "Incorrect username or password.")
    };
    Page { content_type: "text/xml; charset=UTF-8", ..Page::html(200, body) }
}

fn fault(code: u16, text: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<methodResponse>\n  <fault>\n    <value>\n      \
         <struct>\n        <member>\n          <name>faultCode</name>\n          \
         <value><int>{code}</int></value>\n        </member>\n        <member>\n          \
         <name>faultString</name>\n          <value><string>{text}</string></value>\n        \
         </member>\n      </struct>\n    </value>\n  </fault>\n</methodResponse>\n"
    )
}

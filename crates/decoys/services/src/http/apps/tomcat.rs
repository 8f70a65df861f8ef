//! Tomcat's manager behind Basic authentication.

use super::Visit;
use crate::http::personality::{Page, escaped};

pub(super) fn page(visit: &Visit<'_>) -> Option<Page> {
    let manager =
        [&b"/manager"[..], b"/host-manager"].iter().any(|prefix| visit.path.starts_with(prefix));
    if manager {
        return Some(denied());
    }
    match visit.path {
        b"/" | b"/index.jsp" => Some(welcome(visit)),
        _ => None,
    }
}

fn denied() -> Page {
    let body = "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\" \
                \"http://www.w3.org/TR/html4/strict.dtd\">\n<html>\n <head>\n  <title>401 \
                Unauthorized</title>\n </head>\n <body>\n   <h1>401 Unauthorized</h1>\n   <p>\n    You \
                are not authorized to view this page. If you have not changed\n    any configuration \
                files, please examine the file\n    <tt>conf/tomcat-users.xml</tt> in your \
                installation. That\n    file must contain the credentials to let you use this \
                webapp.\n   </p>\n </body>\n\n</html>\n";
    Page::html(401, body)
        .with("Cache-Control", "private")
        .with("WWW-Authenticate", "Basic realm=\"Tomcat Manager Application\"")
}

fn welcome(visit: &Visit<'_>) -> Page {
    let (host, scheme) = (escaped(visit.host.as_bytes()), visit.scheme);
    let body = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n    <head>\n        <meta charset=\"UTF-8\" />\n        \
         <title>Apache Tomcat/9.0.70</title>\n    </head>\n\n    <body>\n        <h1>Apache \
         Tomcat/9.0.70</h1>\n        <h2>If you're seeing this, you've successfully installed Tomcat. \
         Congratulations!</h2>\n        <a href=\"{scheme}://{host}/manager/status\">Server Status</a>\n        \
         <a href=\"{scheme}://{host}/manager/html\">Manager App</a>\n        <a \
         href=\"{scheme}://{host}/host-manager/html\">Host Manager</a>\n    </body>\n\n</html>\n"
    );
    Page::html(200, body)
}

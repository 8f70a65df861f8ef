//! How the claimed server words its answers: header order, error pages, keep-alive.

use base_model::Timestamp;
use decoys_kit::TlsServer;

/// The two servers a decky may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Apache,
    Nginx,
}

/// A web server's manners.
#[derive(Clone, Debug)]
pub(super) struct Personality {
    kind: Kind,
    product: String,
}

/// A page to answer with.
#[derive(Clone, Debug)]
pub(super) struct Page {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    pub(super) body: Vec<u8>,
    /// Last modification, of files.
    pub(super) modified: Option<Timestamp>,
    /// Further headers, in order.
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Page {
    /// An HTML page.
    pub(super) fn html(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            content_type: "text/html; charset=UTF-8",
            body: body.into(),
            modified: None,
            headers: Vec::new(),
        }
    }

    /// Adds a header.
    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What an answer needs to know of its request.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) keep_alive: bool,
    /// The client said `Connection: keep-alive` itself.
    pub(super) said_keep_alive: bool,
    /// Requests answered before on this connection.
    pub(super) before: u32,
    pub(super) head_only: bool,
}

/// Requests Apache answers on one connection (`MaxKeepAliveRequests`).
pub(super) const MAX_REQUESTS: u32 = 100;

impl Personality {
    /// The manners of `product`, as its `Server` header names it.
    pub(super) fn new(product: &str) -> Self {
        let nginx = product.to_ascii_lowercase().starts_with("nginx");
        // Header injection by an operator's setting would be visible at once; drop line ends.
        let product = product.chars().filter(|c| !c.is_control()).collect();
        Self { kind: if nginx { Kind::Nginx } else { Kind::Apache }, product }
    }

    /// How long an idle kept-alive connection stays open, in seconds.
    pub(super) const fn keep_alive_seconds(&self) -> u64 {
        match self.kind {
            Kind::Apache => 5,
            Kind::Nginx => 75,
        }
    }

    /// How long a head may take, in seconds.
    pub(super) const fn head_seconds(&self) -> u64 {
        match self.kind {
            Kind::Apache => 20,
            Kind::Nginx => 60,
        }
    }

    /// Whether a head that takes too long is answered (408) or just cut off.
    pub(super) const fn answers_slow_heads(&self) -> bool {
        matches!(self.kind, Kind::Apache)
    }

    /// The whole answer.
    pub(super) fn answer(&self, page: &Page, asked: Asked, now: Timestamp) -> Vec<u8> {
        let mut out = format!("HTTP/1.1 {} {}\r\n", page.status, reason(page.status));
        let mut line = |name: &str, value: &str| out.push_str(&format!("{name}: {value}\r\n"));
        let length = page.body.len().to_string();
        let date = http_date(now);
        let etag = page.modified.map(|at| self.etag(at, page.body.len()));
        match self.kind {
            Kind::Apache => {
                line("Date", &date);
                line("Server", &self.product);
                page.headers.iter().for_each(|(name, value)| line(name, value));
                if let (Some(at), Some(etag)) = (page.modified, &etag) {
                    line("Last-Modified", &http_date(at));
                    line("ETag", etag);
                    line("Accept-Ranges", "bytes");
                }
                line("Content-Length", &length);
                if page.modified.is_some() {
                    line("Vary", "Accept-Encoding");
                }
                if asked.keep_alive && asked.said_keep_alive {
                    let left = MAX_REQUESTS.saturating_sub(asked.before + 1);
                    line("Keep-Alive", &format!("timeout=5, max={left}"));
                    line("Connection", "Keep-Alive");
                } else if !asked.keep_alive {
                    line("Connection", "close");
                }
                line("Content-Type", page.content_type);
            }
            Kind::Nginx => {
                line("Server", &self.product);
                line("Date", &date);
                line("Content-Type", page.content_type);
                line("Content-Length", &length);
                if let Some(at) = page.modified {
                    line("Last-Modified", &http_date(at));
                }
                line("Connection", if asked.keep_alive { "keep-alive" } else { "close" });
                page.headers.iter().for_each(|(name, value)| line(name, value));
                if let Some(etag) = &etag {
                    line("ETag", etag);
                    line("Accept-Ranges", "bytes");
                }
            }
        }
        out.push_str("\r\n");
        let mut out = out.into_bytes();
        if !asked.head_only {
            out.extend_from_slice(&page.body);
        }
        out
    }

    /// The software, as far as its TLS goes.
    pub(super) const fn tls_server(&self) -> TlsServer {
        match self.kind {
            Kind::Apache => TlsServer::Apache,
            Kind::Nginx => TlsServer::Nginx,
        }
    }

    /// Whether it answers plain text that begins with `first` on a port that begins with TLS: nginx
    /// looks at the first byte, Apache leaves it to OpenSSL, which knows a few methods.
    pub(super) fn takes_plain(&self, first: &[u8]) -> bool {
        match self.kind {
            Kind::Nginx => first.first().is_some_and(|&byte| byte != 0x16 && byte & 0x80 == 0),
            Kind::Apache => {
                let methods: [&[u8]; 4] = [b"GET ", b"POST ", b"HEAD ", b"PUT "];
                methods.iter().any(|method| first.starts_with(method))
            }
        }
    }

    /// What it answers to a request in plain text there, and whether without the body for `HEAD`.
    pub(super) fn plain_page(&self) -> (Page, bool) {
        match self.kind {
            Kind::Nginx => {
                let product = &self.product;
                let body = format!(
                    "<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title>\
                     </head>\r\n<body>\r\n<center><h1>400 Bad Request</h1></center>\r\n<center>The \
                     plain HTTP request was sent to HTTPS port</center>\r\n<hr><center>{product}\
                     </center>\r\n</body>\r\n</html>\r\n"
                );
                (Page { content_type: "text/html", ..Page::html(400, body) }, true)
            }
            Kind::Apache => {
                let body = "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\" \
                     \"http://www.w3.org/TR/html4/strict.dtd\">\n<html><head>\n\
                     <title>400 Bad Request</title>\n</head><body>\n<h1>Bad Request</h1>\n\
                     <p>Your browser sent a request that this server could not understand.<br />\n\
                     Reason: You're speaking plain HTTP to an SSL-enabled server port.<br />\n \
                     Instead use the HTTPS scheme to access this URL, please.<br />\n</p>\n\
                     </body></html>\n";
                let content_type = "text/html; charset=iso-8859-1";
                (Page { content_type, ..Page::html(400, body) }, false)
            }
        }
    }

    /// The server's own page for `status`; `host` and `port` as the request named them.
    pub(super) fn error_page(&self, status: u16, host: &str, port: u16) -> Page {
        let reason = reason(status);
        match self.kind {
            Kind::Nginx => {
                let product = &self.product;
                let body = format!(
                    "<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n\
                     <center><h1>{status} {reason}</h1></center>\r\n<hr><center>{product}</center>\r\n\
                     </body>\r\n</html>\r\n"
                );
                Page { content_type: "text/html", ..Page::html(status, body) }
            }
            Kind::Apache => {
                let text = apache_text(status);
                let product = &self.product;
                let host = escaped(host.as_bytes());
                let body = format!(
                    "<!DOCTYPE HTML PUBLIC \"-//IETF//DTD HTML 2.0//EN\">\n<html><head>\n\
                     <title>{status} {reason}</title>\n</head><body>\n<h1>{reason}</h1>\n\
                     <p>{text}</p>\n<hr>\n<address>{product} Server at {host} Port {port}</address>\n\
                     </body></html>\n"
                );
                Page { content_type: "text/html; charset=iso-8859-1", ..Page::html(status, body) }
            }
        }
    }

    /// Apache: size and microseconds in hex; nginx: seconds and size in hex.
    fn etag(&self, modified: Timestamp, size: usize) -> String {
        match self.kind {
            Kind::Apache => format!("\"{size:x}-{:x}\"", modified.micros()),
            Kind::Nginx => format!("\"{:x}-{size:x}\"", modified.seconds()),
        }
    }
}

fn apache_text(status: u16) -> &'static str {
    match status {
        400 => "Your browser sent a request that this server could not understand.<br />\n",
        401 => {
            "This server could not verify that you\nare authorized to access the document\n\
                requested.  Either you supplied the wrong\ncredentials (e.g., bad password), or your\n\
                browser doesn't understand how to supply\nthe credentials required."
        }
        403 => "You don't have permission to access this resource.",
        404 => "The requested URL was not found on this server.",
        405 => "The requested method is not allowed for this URL.",
        408 => "Server timeout waiting for the HTTP request from the client.",
        413 => {
            "The requested resource does not allow request data with the requested method, or \
                the amount of data provided in\nthe request exceeds the capacity limit."
        }
        414 => "The requested URL's length exceeds the capacity\nlimit for this server.<br />\n",
        501 => "The method is not supported by this server.",
        _ => {
            "The server encountered an internal error or\nmisconfiguration and was unable to \
              complete\nyour request."
        }
    }
}

/// Escapes for HTML text; bytes beyond ASCII as the server would send them, replaced if invalid.
pub(super) fn escaped(bytes: &[u8]) -> String {
    let mut out = String::new();
    for c in String::from_utf8_lossy(bytes).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// IMF-fixdate (RFC 9110 §5.6.7).
pub(super) fn http_date(at: Timestamp) -> String {
    const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let utc = at.to_utc();
    let day = DAYS.get(usize::from(utc.weekday().number_days_from_monday())).unwrap_or(&"Mon");
    let month = MONTHS.get(usize::from(u8::from(utc.month())) - 1).unwrap_or(&"Jan");
    format!(
        "{day}, {:02} {month} {:04} {:02}:{:02}:{:02} GMT",
        utc.day(),
        utc.year(),
        utc.hour(),
        utc.minute(),
        utc.second()
    )
}

fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        200 => "OK",
        201 => "Created",
        204 => "No Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Request Entity Too Large",
        414 => "Request-URI Too Long",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        _ => "OK",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_imf_fixdate() {
        let at = Timestamp::from_micros(784_111_777_000_000);
        assert_eq!(http_date(at), "Sun, 06 Nov 1994 08:49:37 GMT");
    }

    #[test]
    fn a_setting_cannot_inject_a_header() {
        let asked =
            Asked { keep_alive: false, said_keep_alive: false, before: 0, head_only: false };
        let server = Personality::new("Evil\r\nSet-Cookie: x");
        let answer = server.answer(&Page::html(200, "x"), asked, Timestamp::default());
        assert!(!String::from_utf8(answer).unwrap().contains("\nSet-Cookie"));
    }
}

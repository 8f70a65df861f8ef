//! What a User-Agent says it is (`spec/ingest.md` §6.1).

/// A User-Agent, classified.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Class {
    pub(super) category: &'static str,
    pub(super) tool: Option<&'static str>,
    pub(super) signals: Vec<&'static str>,
}

/// Anywhere as a word.
const SCANNERS: &[&str] = &[
    "nmap",
    "masscan",
    "zgrab",
    "zmap",
    "nuclei",
    "sqlmap",
    "gobuster",
    "dirb",
    "dirbuster",
    "nikto",
    "feroxbuster",
    "wfuzz",
    "ffuf",
    "wpscan",
    "katana",
    "burp",
    "acunetix",
    "nessus",
    "openvas",
    "arachni",
    "whatweb",
    "wappalyzer",
    "sploitscan",
];

/// `name/` at the start.
const CLIENTS: &[&str] = &["curl", "wget", "httpie", "xh", "fetch"];

/// At the start, in lower case, with the tool's name; a `#` stands for a digit.
const LIBRARIES: &[(&str, &str)] = &[
    ("python-requests", "python-requests"),
    ("aiohttp", "aiohttp"),
    ("httpx", "httpx"),
    ("python-urllib", "urllib"),
    ("urllib", "urllib"),
    ("python/#", "python-stdlib"),
    ("go-http-client", "go-stdlib"),
    ("go-resty", "go-resty"),
    ("java/#", "java-stdlib"),
    ("okhttp", "okhttp"),
    ("apache-httpclient", "apache-httpclient"),
    ("jersey", "jersey"),
    ("axios", "axios"),
    ("node-fetch", "node-fetch"),
    ("got", "got"),
    ("undici", "undici"),
    ("php/#", "php-stdlib"),
    ("ruby", "ruby-stdlib"),
    ("faraday", "faraday"),
    ("httparty", "httparty"),
    (".net/", "dotnet"),
    ("system.net.http", "dotnet"),
    ("restsharp/", "dotnet"),
    ("postmanruntime", "postman"),
    ("insomnia", "insomnia"),
];

const BOTS: &[&str] = &["bot", "crawler", "spider", "slurp", "monitor"];

const INJECTIONS: &[&str] =
    &["<script", "';", "' or '", "' or 1", "1=1", "' --", "/../", "/etc/passwd", "${jndi:", "{{"];

/// The class of a User-Agent.
pub(super) fn classify(agent: &str) -> Class {
    if agent.is_empty() {
        return Class { category: "empty", tool: None, signals: Vec::new() };
    }
    let lower = agent.to_lowercase();
    let (category, tool) = category(&lower);
    Class { category, tool, signals: signals(agent, &lower) }
}

fn category(lower: &str) -> (&'static str, Option<&'static str>) {
    if let Some(tool) = SCANNERS.iter().find(|word| has_word(lower, word)) {
        return ("scanner", Some(tool));
    }
    let client = |name: &&&str| lower.strip_prefix(**name).is_some_and(|r| r.starts_with('/'));
    if let Some(tool) = CLIENTS.iter().find(client) {
        return ("cli", Some(tool));
    }
    if let Some((_, tool)) = LIBRARIES.iter().find(|(prefix, _)| starts(lower, prefix)) {
        return ("library", Some(tool));
    }
    if lower.contains("guzzlehttp") {
        return ("library", Some("guzzle"));
    }
    if BOTS.iter().any(|word| lower.contains(word)) {
        return ("bot", None);
    }
    if starts(lower, "mozilla/#") {
        return ("browser", None);
    }
    ("nonstandard", None)
}

fn starts(text: &str, prefix: &str) -> bool {
    match prefix.strip_suffix('#') {
        Some(prefix) => text
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())),
        None => text.starts_with(prefix),
    }
}

fn has_word(text: &str, word: &str) -> bool {
    let is_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
    text.match_indices(word).any(|(at, found)| {
        let before = text.get(..at).and_then(|t| t.chars().next_back());
        let after = text.get(at + found.len()..).and_then(|t| t.chars().next());
        is_edge(before) && is_edge(after)
    })
}

fn signals(agent: &str, lower: &str) -> Vec<&'static str> {
    let length = agent.chars().count();
    let tests = [
        ("suspicious_short", length < 8),
        ("suspicious_long", length > 512),
        ("nonprintable", agent.chars().any(|c| c.is_control() && c != '\t')),
        ("injection_like", INJECTIONS.iter().any(|mark| lower.contains(mark))),
    ];
    tests.into_iter().filter(|(_, holds)| *holds).map(|(name, _)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agents_fall_into_their_classes() {
        for (agent, category, tool) in [
            ("", "empty", None),
            (
                "Mozilla/5.0 (compatible; Nmap Scripting Engine; https://nmap.org)",
                "scanner",
                Some("nmap"),
            ),
            ("gobuster/3.6", "scanner", Some("gobuster")),
            ("curl/8.5.0", "cli", Some("curl")),
            ("curlish/1", "nonstandard", None),
            ("python-requests/2.31", "library", Some("python-requests")),
            ("Python-urllib/3.11", "library", Some("urllib")),
            ("Python/3.11 aiohttp/3.9", "library", Some("python-stdlib")),
            ("Go-http-client/1.1", "library", Some("go-stdlib")),
            ("Java/17.0.1", "library", Some("java-stdlib")),
            ("Javascript", "nonstandard", None),
            ("MyApp GuzzleHttp/7", "library", Some("guzzle")),
            ("RestSharp/110", "library", Some("dotnet")),
            ("PostmanRuntime/7.3", "library", Some("postman")),
            ("Mozilla/5.0 (compatible; Googlebot/2.1)", "bot", None),
            ("Mozilla/5.0 (X11; Linux x86_64) Firefox/115", "browser", None),
            ("mozilla", "nonstandard", None),
        ] {
            let class = classify(agent);
            assert_eq!((class.category, class.tool), (category, tool), "{agent}");
        }
    }

    #[test]
    fn signals_are_seen_in_any_category_but_empty() {
        assert_eq!(classify("").signals, Vec::<&str>::new());
        assert_eq!(classify("x").signals, ["suspicious_short"]);
        assert_eq!(classify(&"y".repeat(600)).signals, ["suspicious_long"]);
        assert_eq!(classify("Mozilla/5.0 \u{1b}[2J").signals, ["nonprintable"]);
        assert_eq!(classify("Mozilla/5.0 ${JNDI:ldap://x}").signals, ["injection_like"]);
        assert_eq!(classify("Mozilla/5.0\tx").signals, Vec::<&str>::new());
    }
}

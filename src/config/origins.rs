//! Which pages may use the interface: those of this server's own origin, and those listed in `CORS_ORIGINS`. Asked by CORS, by the
//! check of state-changing requests and by the WebSocket's upgrade (RFC 6454).

use super::environment::items;

/// Origins of other pages that may use the interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins {
    listed: Vec<String>,
}

impl Origins {
    /// Reads a list separated by commas.
    pub fn parse(text: &str) -> Result<Self, String> {
        items(text).map(parse_origin).collect::<Result<_, _>>().map(|listed| Self { listed })
    }

    /// Whether none is listed.
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// Whether an origin is listed.
    pub fn lists(&self, origin: &str) -> bool {
        self.listed.iter().any(|listed| listed.eq_ignore_ascii_case(origin))
    }

    /// Whether a page of this origin may use the interface reached under `host` (the request's `Host`). The scheme is not compared:
    /// behind a proxy that ends TLS the server does not know its own.
    pub fn permits(&self, origin: &str, host: Option<&str>) -> bool {
        self.lists(origin) || host.is_some_and(|host| is_same_host(origin, host))
    }
}

fn is_same_host(origin: &str, host: &str) -> bool {
    let (default_port, authority) = match origin.split_once("://") {
        Some(("http", authority)) => (":80", authority),
        Some(("https", authority)) => (":443", authority),
        _ => return false,
    };
    let without_default = |authority: &'_ str| authority.strip_suffix(default_port).unwrap_or(authority).to_ascii_lowercase();
    !authority.is_empty() && without_default(authority) == without_default(host)
}

fn parse_origin(text: &str) -> Result<String, String> {
    let problem =
        || format!("`{text}` must be an origin like https://call.example.org: scheme, host, port if unusual, nothing after it");
    let (scheme, authority) = text.split_once("://").ok_or_else(problem)?;
    let is_host_character = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    if !matches!(scheme, "http" | "https") || authority.is_empty() || !authority.chars().all(is_host_character) {
        return Err(problem());
    }
    Ok(text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_origins_can_be_listed() {
        assert!(Origins::parse("https://a.example, http://b.example:3000").is_ok());
        for bad in
            ["*", "a.example", "https://a.example/", "https://a.example/x", "ftp://a.example", "https://", "null", "https://u@a"]
        {
            assert!(Origins::parse(bad).unwrap_err().contains(bad), "{bad}");
        }
    }

    #[test]
    fn a_page_is_let_in_by_its_own_host_or_by_the_list() {
        let origins = Origins::parse("https://app.example").unwrap();
        for (origin, host, expected) in [
            ("http://localhost:8080", Some("localhost:8080"), true),
            ("https://call.example", Some("call.example"), true),
            ("https://call.example", Some("call.example:443"), true),
            ("https://APP.example", Some("call.example"), true),
            ("https://evil.example", Some("call.example"), false),
            ("http://localhost:8081", Some("localhost:8080"), false),
            ("http://localhost.evil:8080", Some("localhost:8080"), false),
            ("null", Some("null"), false),
            ("https://", Some(""), false),
            ("https://call.example", None, false),
        ] {
            assert_eq!(origins.permits(origin, host), expected, "{origin} at {host:?}");
        }
    }
}

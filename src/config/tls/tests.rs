use super::*;

fn read(variables: &[(&str, &str)]) -> Result<Listening, String> {
    let look_up = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
    Listening::from_variables(&Variables::new(&look_up)).map_err(|error| error.to_string())
}

fn names(texts: &[&str]) -> Vec<DomainName> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn without_settings_there_is_no_tls_on_port_8080() {
    let listening = read(&[]).unwrap();
    assert_eq!((listening.tls, listening.domain, listening.port, listening.http_port), (TlsConfig::Off, None, 8080, None));
}

#[test]
fn one_line_turns_acme_on() {
    let listening = read(&[("DOMAIN", "Call.Example.org")]).unwrap();
    let expected = AcmeConfig {
        names: names(&["call.example.org"]),
        email: None,
        directory: LETS_ENCRYPT.to_owned(),
        ca_file: None,
        challenge: AcmeChallenge::TlsAlpn01,
    };
    assert_eq!(listening.tls, TlsConfig::Acme(expected));
    assert_eq!((listening.domain.as_deref(), listening.port, listening.http_port), (Some("call.example.org"), 443, Some(80)));
}

#[test]
fn each_setting_of_acme_is_kept() {
    let variables = [
        ("DOMAIN", "call.example.org, www.example.org"),
        ("ACME_EMAIL", "admin@Example.org"),
        ("ACME_DIRECTORY", "https://ca.example.org:9000/acme/directory"),
        ("ACME_CA_FILE", "/etc/ca.pem"),
        ("ACME_CHALLENGE", "http-01"),
    ];
    let expected = AcmeConfig {
        names: names(&["call.example.org", "www.example.org"]),
        email: Some("admin@example.org".to_owned()),
        directory: "https://ca.example.org:9000/acme/directory".to_owned(),
        ca_file: Some("/etc/ca.pem".into()),
        challenge: AcmeChallenge::Http01,
    };
    assert_eq!(read(&variables).unwrap().tls, TlsConfig::Acme(expected));
}

#[test]
fn files_win_over_acme_and_leave_the_names_to_the_domain() {
    let files = [("TLS_CERT", "c.pem"), ("TLS_KEY", "k.pem")];
    let expected = |names| TlsConfig::Files { cert: "c.pem".into(), key: "k.pem".into(), names };
    assert_eq!(read(&files).unwrap().tls, expected(Vec::new()));
    let listening = read(&[files[0], files[1], ("DOMAIN", "call.example.org"), ("ACME_EMAIL", "a@example.org")]).unwrap();
    assert_eq!(listening.tls, expected(names(&["call.example.org"])));
    assert_eq!(listening.domain.as_deref(), Some("call.example.org"));
}

#[test]
fn ports_follow_tls_and_each_other() {
    let domain = ("DOMAIN", "call.example.org");
    for (variables, expected) in [
        (&[domain, ("PORT", "8443")][..], (8443, None)),
        (&[domain, ("PORT", "8443"), ("HTTP_PORT", "8080")], (8443, Some(8080))),
        (&[domain, ("HTTP_PORT", "0")], (443, None)),
        (&[domain, ("HTTP_PORT", "81")], (443, Some(81))),
        (&[("PORT", "443")], (443, None)),
        (&[("HTTP_PORT", "0")], (8080, None)),
        (&[domain, ("ACME_CHALLENGE", "http-01"), ("PORT", "0"), ("HTTP_PORT", "5002")], (0, Some(5002))),
    ] {
        let listening = read(variables).unwrap();
        assert_eq!((listening.port, listening.http_port), expected, "{variables:?}");
    }
}

#[test]
fn contradictions_are_refused_by_the_name_of_the_variable() {
    let domain = ("DOMAIN", "call.example.org");
    for (variables, expected) in [
        (&[("TLS_CERT", "c.pem")][..], "TLS_KEY must name"),
        (&[domain, ("TLS_KEY", "k.pem")], "TLS_CERT must name"),
        (&[("ACME_EMAIL", "a@example.org")], "ACME_EMAIL is set without DOMAIN"),
        (&[("ACME_CHALLENGE", "tls-alpn-01")], "ACME_CHALLENGE is set without DOMAIN"),
        (&[("HTTP_PORT", "80")], "HTTP_PORT is for leading browsers to TLS"),
        (&[domain, ("PORT", "80"), ("HTTP_PORT", "80")], "HTTP_PORT must differ"),
        (&[domain, ("ACME_CHALLENGE", "http-01"), ("HTTP_PORT", "0")], "ACME_CHALLENGE http-01"),
        (&[domain, ("ACME_CHALLENGE", "http-01"), ("PORT", "8443")], "ACME_CHALLENGE http-01"),
        (&[domain, ("HTTP_PORT", "http")], "HTTP_PORT must be a number"),
        (&[domain, ("ACME_CHALLENGE", "dns-01")], "ACME_CHALLENGE must be"),
        (&[domain, ("ACME_DIRECTORY", "http://ca.example.org")], "ACME_DIRECTORY must be"),
        (&[domain, ("ACME_DIRECTORY", "letsencrypt")], "ACME_DIRECTORY must be"),
        (&[domain, ("ACME_EMAIL", "admin")], "ACME_EMAIL must be"),
        (&[domain, ("ACME_EMAIL", "a@example.org,b@example.org")], "ACME_EMAIL must be"),
    ] {
        let message = read(variables).err().unwrap();
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn only_names_that_a_certificate_can_be_for_are_taken() {
    let long_label = format!("{}.example", "a".repeat(64));
    let long_name = ["a".repeat(60).as_str(); 5].join(".");
    let many = (0..=MAX_NAMES).map(|number| format!("n{number}.example")).collect::<Vec<_>>().join(",");
    for bad in [
        "192.0.2.1",
        "2001:db8::1",
        "1.2.3",
        "*.example.org",
        "example.org.",
        ".example.org",
        "a..b",
        "-a.example",
        "a-.example",
        "a_b.example",
        "https://a.example",
        "a.example:443",
        "ä.example",
        "a.example, A.example",
        ",",
        "localhost",
        &long_label,
        &long_name,
        &many,
    ] {
        let message = read(&[("DOMAIN", bad)]).err().unwrap_or_else(|| panic!("{bad} was taken"));
        assert!(message.starts_with("DOMAIN "), "{message}");
    }
    let private = read(&[("DOMAIN", "calls"), ("ACME_DIRECTORY", "https://ca/acme")]).unwrap();
    assert_eq!(private.domain.as_deref(), Some("calls"));
}

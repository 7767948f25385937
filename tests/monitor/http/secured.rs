//! TLS, client certificates and passwords, by the web configuration file.

use std::fs;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use data_encoding::BASE64;
use libtest_mimic::Failed;
use tcpprobe::http::{Gate, Limits};
use tokio_rustls::rustls::version::{TLS12, TLS13};

use super::certificates::{Authority, Identity, VERSIONS, get};
use super::client::{self, Connection};
use super::server::Served;
use crate::wanted;

const WITH_TLS: &str = "tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n";

/// A directory with a certificate for the server and a web configuration.
fn directory(authority: &Authority, config: &str) -> Result<tempfile::TempDir, Failed> {
    let directory = tempfile::tempdir()?;
    authority.server()?.write(directory.path())?;
    fs::write(directory.path().join("web.yml"), config)?;
    Ok(directory)
}

fn serve(at: IpAddr, directory: &Path, limits: Limits) -> Result<Served, Failed> {
    Served::start_with(at, limits, Some(&directory.join("web.yml")))
}

pub(crate) fn both_versions_of_tls_are_spoken_and_plain_http_is_told(at: IpAddr) -> Result<(), Failed> {
    let authority = Authority::new("ours")?;
    let directory = directory(&authority, WITH_TLS)?;
    let served = serve(at, directory.path(), Limits::default())?;
    for version in VERSIONS {
        let client = authority.client(None, &[version])?;
        let mut connection = Connection::tls(served.address, client)?;
        for _ in 0..3 {
            let answer = connection.get("/pieces")?;
            wanted(answer.status == 200, || format!("{version:?}: {answer:?}"))?;
        }
    }
    let plain = client::get(served.address, "/quick")?;
    wanted(plain.status == 400 && plain.text().contains("https://"), || {
        format!("{plain:?}")
    })?;
    // A stranger to the authority does not believe the server.
    let stranger = Authority::new("another")?.client(None, &VERSIONS)?;
    wanted(get(served.address, &stranger).is_err(), || {
        "anybody's certificate will do".to_owned()
    })?;
    wanted(
        get(served.address, &authority.client(None, &VERSIONS)?)?.status == 200,
        || "no answer after that".to_owned(),
    )
}

pub(crate) fn a_handshake_has_its_time_and_a_client_its_end(at: IpAddr) -> Result<(), Failed> {
    let authority = Authority::new("ours")?;
    let directory = directory(&authority, WITH_TLS)?;
    let limits = Limits {
        handshake: Duration::from_millis(300),
        ..Limits::default()
    };
    let slow = serve(at, directory.path(), limits)?;
    for beginning in [
        &b""[..],
        b"\x16\x03\x01",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ] {
        let mut connection = Connection::open(slow.address)?;
        connection.send(beginning)?;
        wanted(connection.is_ended()?, || format!("{beginning:?} was answered"))?;
    }
    let served = serve(at, directory.path(), Limits::default())?;
    let mut connection = Connection::tls(served.address, authority.client(None, &VERSIONS)?)?;
    connection.send("GET /wait HTTP/1.1\r\nhost: test\r\n\r\n")?;
    served.seen.until(|seen| &seen.begun, 1)?;
    drop(connection);
    served.seen.until(|seen| &seen.dropped, 1)
}

pub(crate) fn versions_suites_and_curves_are_those_of_the_file(at: IpAddr) -> Result<(), Failed> {
    let authority = Authority::new("ours")?;
    for (more, takes_12, takes_13) in [
        ("", true, true),
        ("  min_version: TLS13\n", false, true),
        ("  max_version: TLS12\n", true, false),
        (
            "  cipher_suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]\n",
            false,
            true,
        ),
        (
            "  cipher_suites: [TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, TLS_AES_128_GCM_SHA256]\n",
            true,
            true,
        ),
        (
            "  curve_preferences: [CurveP256, CurveP384]\n  prefer_server_cipher_suites: false\n",
            true,
            true,
        ),
    ] {
        let directory = directory(&authority, &format!("{WITH_TLS}{more}"))?;
        let served = serve(at, directory.path(), Limits::default())?;
        for (version, expected) in [(&TLS12, takes_12), (&TLS13, takes_13)] {
            let client = authority.client(None, &[version])?;
            let is_answered = get(served.address, &client).is_ok();
            wanted(is_answered == expected, || {
                format!("{more:?}, {version:?}: {is_answered}")
            })?;
        }
    }
    Ok(())
}

pub(crate) fn clients_show_the_certificates_that_the_file_asks_for(at: IpAddr) -> Result<(), Failed> {
    let (ours, theirs) = (Authority::new("ours")?, Authority::new("theirs")?);
    let good = ours.identity(&["scraper.example", "192.0.2.7"])?;
    let strange = theirs.identity(&["scraper.example"])?;
    let shown = [None, Some(&good), Some(&strange)];
    let known = "  client_ca_file: clients.pem\n";
    for (kind, more, expected) in [
        ("NoClientCert", "", [true, true, true]),
        ("RequestClientCert", "", [true, true, true]),
        ("RequireAnyClientCert", "", [false, true, true]),
        ("RequireClientCert", "", [false, true, true]),
        ("VerifyClientCertIfGiven", known, [true, true, false]),
        ("RequireAndVerifyClientCert", known, [false, true, false]),
        (
            "RequireAndVerifyClientCert",
            "  client_ca_file: clients.pem\n  client_allowed_sans: [other.example, scraper.example]\n",
            [false, true, false],
        ),
        (
            "RequireAndVerifyClientCert",
            "  client_ca_file: clients.pem\n  client_allowed_sans: [\"192.0.2.7\"]\n",
            [false, true, false],
        ),
        (
            "RequireAndVerifyClientCert",
            "  client_ca_file: clients.pem\n  client_allowed_sans: [other.example, \"192.0.2.8\"]\n",
            [false, false, false],
        ),
        (
            "RequireAnyClientCert",
            "  client_allowed_sans: [\"192.0.2.7\"]\n",
            [false, true, false],
        ),
    ] {
        let directory = directory(&ours, &format!("{WITH_TLS}  client_auth_type: {kind}\n{more}"))?;
        fs::write(directory.path().join("clients.pem"), ours.pem())?;
        let served = serve(at, directory.path(), Limits::default())?;
        for version in VERSIONS {
            for (shown, expected) in shown.iter().zip(expected) {
                let client = ours.client(*shown, &[version])?;
                let is_answered = get(served.address, &client).is_ok();
                wanted(is_answered == expected, || {
                    let who = shown.map(|identity| identity.certificate.clone());
                    format!("{kind} {more:?} {version:?}: {is_answered} for {who:?}")
                })?;
            }
        }
    }
    Ok(())
}

pub(crate) fn a_certificate_that_is_renewed_is_shown_from_then_on(at: IpAddr) -> Result<(), Failed> {
    let (before, after) = (Authority::new("before")?, Authority::new("after")?);
    let directory = directory(&before, WITH_TLS)?;
    let served = serve(at, directory.path(), Limits::default())?;
    let [of_before, of_after] = [before.client(None, &VERSIONS)?, after.client(None, &VERSIONS)?];
    let shows = |new: bool| -> Result<(), Failed> {
        wanted(get(served.address, &of_before).is_ok() != new, || {
            format!("not the old one, new is {new}")
        })?;
        wanted(get(served.address, &of_after).is_ok() == new, || {
            format!("not the new one, new is {new}")
        })
    };
    shows(false)?;
    let mut open = Connection::tls(served.address, Arc::clone(&of_before))?;
    open.get("/quick")?;
    // A certificate without its key is not used, and said once, however often somebody comes.
    let Identity { certificate, key } = after.server()?;
    fs::write(directory.path().join("server.crt"), certificate)?;
    shows(false)?;
    shows(false)?;
    let complaints = served.seen.complaints();
    wanted(
        complaints.len() == 1
            && complaints[0].contains("web.yml:2:14: `cert_file` and `key_file` do not belong together"),
        || format!("{complaints:?}"),
    )?;
    fs::write(directory.path().join("server.key"), key)?;
    shows(true)?;
    wanted(open.get("/quick")?.status == 200, || {
        "who was there before was sent away".to_owned()
    })?;
    // What an editor leaves for a moment does not open the door.
    fs::write(directory.path().join("web.yml"), "")?;
    shows(true)?;
    let refused = served.gate.refresh();
    let complaints = served.seen.complaints();
    wanted(
        refused.is_err() && complaints.len() == 2 && complaints[1].contains("TLS cannot be taken away"),
        || format!("{complaints:?}"),
    )
}

/// Of `secret` and of `another`, with the least cost that there is.
fn users() -> Result<String, Failed> {
    let hash = |password: &str| bcrypt::hash(password, 4);
    Ok(format!(
        "basic_auth_users:\n  alice: {}\n  bob: {}\n",
        hash("secret")?,
        hash("another")?
    ))
}

pub(crate) fn passwords_are_asked_for_where_there_are_users(at: IpAddr) -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    let headers = "http_server_config:\n  http2: true\n  headers:\n    X-Frame-Options: deny\n";
    fs::write(directory.path().join("web.yml"), format!("{}{headers}", users()?))?;
    let served = serve(at, directory.path(), Limits::default())?;
    let mut connection = Connection::open(served.address)?;
    let refused = connection.get("/quick")?;
    wanted(
        refused.status == 401
            && refused.header("www-authenticate") == Some("Basic realm=\"tcpprobe\"")
            && refused.header("x-frame-options") == Some("deny"),
        || format!("{refused:?}"),
    )?;
    // Twice, as what was right is remembered, and what was wrong is not.
    for _ in 0..2 {
        for (given, expected) in [
            ("alice:secret", 200),
            ("bob:another", 200),
            ("alice:another", 401),
            ("bob:secret", 401),
            ("mallory:secret", 401),
            ("alice:", 401),
            (":secret", 401),
            ("alice", 401),
        ] {
            let header = format!("Basic {}", BASE64.encode(given.as_bytes()));
            let answer = connection.ask("GET", "/quick", &[("Authorization", &header)])?;
            wanted(answer.status == expected, || {
                format!("{given}: {}", answer.status)
            })?;
        }
    }
    for header in [
        "Basic",
        "Basic !!!",
        "Bearer YWxpY2U6c2VjcmV0",
        "YWxpY2U6c2VjcmV0",
    ] {
        let answer = connection.ask("GET", "/quick", &[("Authorization", header)])?;
        wanted(answer.status == 401, || format!("{header}: {}", answer.status))?;
    }
    // Another password in the file holds at once, also for who was remembered.
    let header = format!("Basic {}", BASE64.encode(b"alice:secret"));
    fs::write(
        directory.path().join("web.yml"),
        format!("basic_auth_users:\n  alice: {}\n", bcrypt::hash("new", 4)?),
    )?;
    let answer = connection.ask("GET", "/quick", &[("Authorization", &header)])?;
    wanted(answer.status == 401, || {
        "the old password is still good".to_owned()
    })
}

pub(crate) fn guessing_passwords_keeps_nobody_out(at: IpAddr) -> Result<(), Failed> {
    let directory = tempfile::tempdir()?;
    // Each guess takes long enough for a queue.
    let users = format!("basic_auth_users:\n  alice: {}\n", bcrypt::hash("secret", 6)?);
    fs::write(directory.path().join("web.yml"), users)?;
    let served = serve(at, directory.path(), Limits::default())?;
    let header = format!("Basic {}", BASE64.encode(b"alice:secret"));
    let right = [("Authorization", header.as_str())];
    let mut connection = Connection::open(served.address)?;
    wanted(connection.ask("GET", "/quick", &right)?.status == 200, || {
        "not let in".to_owned()
    })?;
    let address = served.address;
    let guesses: Vec<_> = (0..100)
        .map(|number| {
            thread::spawn(move || {
                let guess = format!("Basic {}", BASE64.encode(format!("alice:{number}").as_bytes()));
                let answer = Connection::open(address)?.ask("GET", "/quick", &[("Authorization", &guess)])?;
                Ok::<u16, std::io::Error>(answer.status)
            })
        })
        .collect();
    // Who was let in before is not behind them.
    for _ in 0..20 {
        wanted(connection.ask("GET", "/quick", &right)?.status == 200, || {
            "not let in".to_owned()
        })?;
    }
    for guess in guesses {
        let status = guess.join().map_err(|_| "a client panicked")??;
        wanted(matches!(status, 401 | 503), || format!("{status} for a guess"))?;
    }
    Ok(())
}

#[expect(clippy::too_many_lines, reason = "most of them are a table")]
pub(crate) fn what_is_wrong_with_the_file_is_told_with_its_place(_: IpAddr) -> Result<(), Failed> {
    let authority = Authority::new("ours")?;
    for (config, expected) in [
        (
            "tls_server_conf: {}\n",
            "1:1: `tls_server_conf` is no key of a web configuration: did you mean `tls_server_config`?",
        ),
        (
            "rate_limit:\n  interval: 1s\n",
            "1:1: `rate_limit` is not supported: leave it out (what /probe sends to one host has a cap of its own)",
        ),
        (
            "tls_server_config:\n  cert_file: server.crt\n",
            "2:3: TLS needs a certificate and its key, and there is no `key_file` here: add it, as in `key_file: server.key`",
        ),
        (
            "tls_server_config:\n  cert_file: server.crt\n  key_file: nowhere.key\n",
            "3:13: cannot read DIR/nowhere.key: No such file or directory (os error 2): paths are relative to this file",
        ),
        (
            "tls_server_config:\n  cert_file: web.yml\n  key_file: server.key\n",
            "2:14: `cert_file`: in DIR/web.yml there is no PEM of certificates",
        ),
        (
            "tls_server_config:\n  cert_file: server.crt\n  key_file: server.crt\n",
            "3:13: `key_file`: in DIR/server.crt there is no PEM of a private key",
        ),
        (
            "tls_server_config:\n  cert: x\n  cert_file: server.crt\n  key_file: server.key\n",
            "3:14: `cert` and `cert_file` are both here: leave one of them out",
        ),
        (
            "WITH-TLS  min_version: TLS10\n",
            "4:16: TLS10 is broken and not supported (RFC 8996): write `min_version: TLS12` or TLS13",
        ),
        (
            "WITH-TLS  min_version: TLS13\n  max_version: TLS12\n",
            "5:16: `max_version: TLS12` is older than `min_version: TLS13`: no client could connect, so raise the one or lower the other",
        ),
        (
            "WITH-TLS  max_version: 1.2\n",
            "4:16: `max_version` is a text, and this is the number 1.2: put it in quotes",
        ),
        (
            "WITH-TLS  cipher_suites:\n    - TLS_RSA_WITH_AES_128_CBC_SHA\n",
            "5:7: `cipher_suites` cannot be `TLS_RSA_WITH_AES_128_CBC_SHA`: what is supported is \
             TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, \
             TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384, \
             TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256, \
             TLS_AES_128_GCM_SHA256, TLS_AES_256_GCM_SHA384, TLS_CHACHA20_POLY1305_SHA256",
        ),
        (
            "WITH-TLS  curve_preferences: [CurveP521]\n",
            "4:23: `curve_preferences` cannot be `CurveP521`: did you mean CurveP256?",
        ),
        (
            "WITH-TLS  client_auth_type: RequireAndVerify\n",
            "4:21: `client_auth_type` cannot be `RequireAndVerify`: what is supported is NoClientCert, RequestClientCert, \
             RequireAnyClientCert, VerifyClientCertIfGiven, RequireAndVerifyClientCert",
        ),
        (
            "WITH-TLS  client_auth_type: RequireAndVerifyClientCert\n",
            "2:3: `client_auth_type: RequireAndVerifyClientCert` needs to know whose certificates count: add `client_ca_file: clients.pem`",
        ),
        (
            "WITH-TLS  client_ca_file: server.crt\n",
            "4:19: `client_ca_file` says whose client certificates count, and none is asked for: add `client_auth_type: RequireAndVerifyClientCert`",
        ),
        (
            "WITH-TLS  client_auth_type: RequestClientCert\n  client_allowed_sans: [a]\n",
            "5:24: `client_allowed_sans` needs clients that must have a certificate: add `client_auth_type: RequireAndVerifyClientCert`",
        ),
        (
            "WITH-TLS  client_auth_type: RequireAnyClientCert\n  client_allowed_sans: [a@example.org]\n",
            "5:25: `a@example.org` is an e-mail address, which cannot be compared here: name a DNS name, an IP address or a URI of the certificate",
        ),
        (
            "http_server_config:\n  http2: maybe\n",
            "2:10: `http2` is true or false, and this is `maybe`",
        ),
        (
            "http_server_config:\n  headers:\n    X-Frame-Options: allow\n",
            "3:22: `X-Frame-Options` cannot be `allow`: what is supported is deny, sameorigin",
        ),
        (
            "http_server_config:\n  headers:\n    Server: tcpprobe\n",
            "3:5: `Server` is no key of `headers`: its keys are Content-Security-Policy, Strict-Transport-Security, \
             X-Content-Type-Options, X-Frame-Options, X-XSS-Protection",
        ),
        (
            "basic_auth_users:\n  alice: secret\n",
            "2:10: what stands for `alice` is no bcrypt hash, such as $2y$10$ and 53 letters more: `htpasswd -nBC 10 \"\"` asks for the password and prints one",
        ),
        (
            "basic_auth_users:\n  a:b: $2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG\n",
            "2:3: the name `a:b` has a colon, which ends names in HTTP: take another",
        ),
        (
            "basic_auth_users:\n\talice: x\n",
            "2:2: a tab: YAML is indented with spaces alone",
        ),
    ] {
        // What begins so has what TLS needs.
        let directory = directory(&authority, &config.replace("WITH-TLS", WITH_TLS))?;
        let file = directory.path().join("web.yml");
        let said = match Gate::read(&file, |_| {}) {
            Ok(_) => "nothing".to_owned(),
            Err(error) => error.to_string(),
        };
        let at = directory.path().display().to_string();
        let expected = format!("{}:{}", file.display(), expected.replace("DIR", &at));
        wanted(said == expected, || {
            format!("{config}\n  said {said}\n  not  {expected}")
        })?;
        wanted(!said.contains("secret"), || "a password is repeated".to_owned())?;
    }
    let nowhere = Gate::read(Path::new("/nowhere/web.yml"), |_| {})
        .err()
        .map(|error| error.to_string());
    let expected = "cannot read /nowhere/web.yml: No such file or directory (os error 2)";
    wanted(nowhere.as_deref() == Some(expected), || format!("{nowhere:?}"))?;
    // The other Authority's certificate beside our key.
    let directory = directory(&authority, WITH_TLS)?;
    fs::write(directory.path().join("server.key"), authority.server()?.key)?;
    let said = Gate::read(&directory.path().join("web.yml"), |_| {})
        .err()
        .map(|error| error.to_string());
    wanted(
        said.as_ref().is_some_and(|said| said.ends_with(
            "web.yml:2:14: `cert_file` and `key_file` do not belong together: the certificate is of another key"
        )),
        || format!("{said:?}"),
    )
}

//! What a permission permits, and what is said of one that cannot be meant.

use proptest::prelude::*;

use super::*;

fn permit(text: &str) -> Permit {
    Permit::parse(text, &Services::default()).unwrap()
}

fn target(text: &str) -> Target {
    Target::parse(text, &Services::default()).unwrap()
}

/// Each permission with targets that it permits and others that it does not.
#[rustfmt::skip]
const TABLE: &[(&str, &[&str], &[&str])] = &[
    ("db.shop:5432", &["db.shop:5432", "DB.Shop:5432", "db.shop.:5432"], &["db.shop:5433", "db:5432", "a.db.shop:5432", "10.0.0.1:5432"]),
    ("DB.shop.:5432", &["db.shop:5432"], &["shop:5432"]),
    ("*.shop:443", &["a.shop:443", "a.b.shop:443", "A.SHOP.:443"], &["shop:443", "ashop:443", "a.shop:80", "a.shop.evil:443", "10.0.0.1:443"]),
    ("*.Shop.svc:https", &["a.shop.svc:443"], &["a.svc:443"]),
    ("*:443", &["a:443", "10.0.0.1:443", "[::1]:443"], &["a:444"]),
    ("*:*", &["a:1", "10.0.0.1:65535", "[fe80::1%eth0]:22"], &[]),
    ("10.0.0.0/8:80,8000-8010", &["10.0.0.0:80", "10.255.255.255:8005", "[::ffff:10.1.2.3]:80"], &["11.0.0.0:80", "10.0.0.1:81", "10.0.0.1:8011", "db:80", "[::1]:80", "[::10.0.0.1]:80"]),
    ("[2001:db8::/32]:*", &["[2001:db8::1]:1", "[2001:db8:ffff::]:65535"], &["[2001:db9::1]:1", "a:1", "10.0.0.1:1"]),
    ("[fe80::/10]:22", &["[fe80::1%eth0]:22", "[fe80::1%3]:22"], &["[2001:db8::1]:22"]),
    ("[fe80::1%eth0]:22", &["[fe80::1%eth0]:22"], &["[fe80::1%eth1]:22", "[fe80::1]:22"]),
    ("10.0.0.7:1-1024", &["10.0.0.7:1", "10.0.0.7:1024", "[::ffff:10.0.0.7]:22"], &["10.0.0.7:1025", "10.0.0.8:22", "seven:22"]),
    ("[::1]:80", &["[::1]:80", "[0:0::1]:80"], &["127.0.0.1:80", "localhost:80", "[::]:80"]),
    ("0.0.0.0/0:80", &["10.0.0.1:80", "127.0.0.1:80", "0.0.0.0:80"], &["[::1]:80", "a:80"]),
    ("127.0.0.0/8:*", &["127.0.0.1:9965"], &["0.0.0.0:9965", "[::1]:9965", "localhost:9965", "[::ffff:0:127.0.0.1]:9965"]),
];

#[test]
fn a_permission_permits_what_it_names_and_nothing_else() {
    for (text, permitted, not) in TABLE {
        let permit = permit(text);
        for word in *permitted {
            assert!(permit.permits(&target(word)), "{text} has to permit {word}");
        }
        for word in *not {
            assert!(!permit.permits(&target(word)), "{text} must not permit {word}");
        }
    }
}

#[test]
fn what_is_shown_is_read_back_as_the_same() {
    for (text, _, _) in TABLE {
        let permit = permit(text);
        assert_eq!(self::permit(&permit.to_string()), permit, "{text}");
    }
    assert_eq!(
        permit("[2001:db8::/32]:443,80-90").to_string(),
        "[2001:db8::/32]:443,80-90"
    );
}

#[test]
fn a_permission_that_cannot_be_meant_is_told_with_what_would_be_right() {
    #[rustfmt::skip]
    let wrong = [
        ("db.shop", "`db.shop` names no port: write db.shop:443, several as in db.shop:80,8000-8010, or \"db.shop:*\" for every port"),
        ("10.0.0.0/8", "`10.0.0.0/8` names no port: write 10.0.0.0/8:443, several as in 10.0.0.0/8:80,8000-8010, or \"10.0.0.0/8:*\" for every port"),
        ("*", "`*` names no port: write *:443, several as in *:80,8000-8010, or \"*:*\" for every port"),
        ("db:", "`db:` names no port after the colon: write db:443, or \"db:*\" for every port"),
        (":443", "`:443` names no host: write \"*:443\" for every host"),
        (":", "nothing is permitted here: write HOST:PORT"),
        ("https://db/", "`https://db/` is a URL, and a target is a host and a port: write `db:443`"),
        ("2001:db8::/32", "`2001:db8::/32`: an IPv6 address or block is in brackets, and its ports follow: write \"[2001:db8::/32]:443\", in quotes"),
        ("2001:db8::/32:80", "`2001:db8::/32:80`: an IPv6 address or block is in brackets, and its ports follow: write \"[2001:db8::/32]:80\", in quotes"),
        ("2001:db8::1", "`2001:db8::1`: an IPv6 address or block is in brackets, and its ports follow: write \"[2001:db8::1]:443\", in quotes"),
        ("[2001:db8::]/32:80", "`[2001:db8::]/32:80`: the length of a block belongs into the brackets, and ports follow them: write it as in \"[2001:db8::/32]:443\""),
        ("[10.0.0.0/8]:80", "10.0.0.0/8 is no block of IPv6 addresses: only those are written in brackets"),
        ("10.0.0.1/8:80", "10.0.0.1 is not where a block of /8 begins: write 10.0.0.0/8 for the block, or 10.0.0.1 for one host"),
        ("10.0.0.0/40:80", "`10.0.0.0/40` is no block of addresses: write it as 10.0.0.0/24 or [2001:db8::/120]"),
        ("10.0.0.*:80", "`10.0.0.*:80`: a `*` stands for all hosts, or before a dot for all names below one: write *:443 or *.shop:443, and a block of addresses as 10.0.0.0/24:443"),
        ("a*.shop:80", "`a*.shop:80`: a `*` stands for all hosts, or before a dot for all names below one: write *:443 or *.shop:443"),
        ("*.*.shop:80", "`*.*.shop:80`: a `*` stands for all hosts, or before a dot for all names below one: write *:443 or *.shop:443"),
        ("*shop:80", "`*shop:80`: a `*` stands for all hosts, or before a dot for all names below one: write *:443 or *.shop:443"),
        (".shop:80", "`.shop:80` begins with a dot: write *.shop:80 for all names below shop"),
        ("*.10.0.0.1:80", "`*.10.0.0.1:80`: there are no names below an address"),
        ("*.:80", "`:80` has no host: write `HOST:PORT`, for example `localhost:80` (in `*.:80`)"),
        ("*.a b:80", "`a b` is no name: it contains ' '; names have letters, digits, `-`, `_` and `.` (in `*.a b:80`)"),
        ("db:0", "0 is no port: a port is a number from 1 to 65535 (in `db:0`)"),
        ("db:90-80", "the ports 90-80 of `db:90-80` run backwards: write 80-90"),
        ("db:htps", "`htps` is no port: write a number from 1 to 65535, or the name of a service such as `https` (in `db:htps`)"),
        ("db:80,*", "`*` is no port: write a number from 1 to 65535, or the name of a service such as `https` (in `db:80,*`)"),
        ("[::1]", "`[::1]` names no port: write [::1]:443, several as in [::1]:80,8000-8010, or \"[::1]:*\" for every port"),
    ];
    for (text, says) in wrong {
        let error = Permit::parse(text, &Services::default()).unwrap_err();
        assert_eq!(error, says, "{text}");
    }
}

/// What permissions and targets are made of, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("*"),
        Just("."),
        Just(":"),
        Just("["),
        Just("]"),
        Just("/"),
        Just("-"),
        Just(","),
        Just("%"),
        Just(" "),
        Just("a"),
        Just("shop"),
        Just("é"),
        Just("10.0.0.0"),
        Just("8"),
        Just("443"),
        Just("::1"),
        Just("2001:db8::"),
        Just("::ffff:10.0.0.1"),
        Just("https"),
        Just("0"),
        Just("://"),
    ];
    proptest::collection::vec(piece, 0..9).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn whatever_is_written_is_a_permission_that_is_read_back_or_a_sentence(text in pieces()) {
        match Permit::parse(&text, &Services::default()) {
            Ok(permit) => prop_assert_eq!(Permit::parse(&permit.to_string(), &Services::default()), Ok(permit)),
            Err(says) => prop_assert!(says.len() > 20, "{}", says),
        }
    }

    #[test]
    fn a_block_permits_exactly_its_addresses(block in any::<u32>(), length in 0_u8..=32, other in any::<u32>()) {
        let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
        let address = |bits| std::net::Ipv4Addr::from_bits(bits);
        let permit = permit(&format!("{}/{length}:80", address(block & mask)));
        // Near ones too, not only any.
        for bits in [other, block, block ^ 1, (block & mask).wrapping_sub(1), (block | !mask).wrapping_add(1)] {
            let is_within = bits & mask == block & mask;
            let plain = target(&format!("{}:80", address(bits)));
            let mapped = target(&format!("[::ffff:{}]:80", address(bits)));
            prop_assert_eq!(permit.permits(&plain), is_within);
            prop_assert_eq!(permit.permits(&mapped), is_within);
            let name = format!("{}.example:80", address(bits).to_string().replace('.', "-"));
            prop_assert!(!permit.permits(&target(&name)));
        }
    }
}

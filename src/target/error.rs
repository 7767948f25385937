//! What can be wrong with a target, each said as a sentence that also says what would be right.

use thiserror::Error;

/// Why a word is no target.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TargetError {
    /// No port, and none in the next word.
    #[error("`{word}` has no port: write `{example}`, with a port number or a service name")]
    PortMissing {
        /// What was given.
        word: String,
        /// The same with a placeholder for the port.
        example: String,
    },
    /// The port is no number, and no service has that name.
    #[error("`{port}` is no port: write a number from 1 to 65535, or the name of a service such as `https`")]
    PortUnknown {
        /// What was given for the port.
        port: String,
    },
    /// The port is a number, but none that a port can have.
    #[error("{port} is no port: a port is a number from 1 to 65535")]
    PortOutOfRange {
        /// What was given for the port.
        port: String,
    },
    /// Nothing before the port.
    #[error("`{word}` has no host: write `HOST:PORT`, for example `localhost:80`")]
    HostMissing {
        /// What was given.
        word: String,
    },
    /// A name with nothing between two dots, or a dot at its start.
    #[error("`{host}` is no name: there is nothing before one of its dots")]
    LabelEmpty {
        /// The name.
        host: String,
    },
    /// A label of more than 63 bytes (RFC 1035, 2.3.4).
    #[error("`{label}` is too long: each part of a name has at most 63 characters")]
    LabelTooLong {
        /// The label.
        label: String,
    },
    /// A name of more than 253 characters (RFC 1035, 2.3.4).
    #[error("`{host}` is too long: a name has at most 253 characters")]
    NameTooLong {
        /// The name.
        host: String,
    },
    /// A character that no name has.
    #[error("`{host}` is no name: it contains {character:?}; names have letters, digits, `-`, `_` and `.`")]
    NameCharacter {
        /// The name.
        host: String,
        /// The first offending character.
        character: char,
    },
    /// A number where a host is expected.
    #[error("`{port}` is a port without a host: every port follows its own host, as in `HOST:{port}`")]
    PortAlone {
        /// What was given.
        port: String,
    },
    /// Ends in a number as only addresses do, but is no address.
    #[error("`{host}` is no IPv4 address: an address is four numbers from 0 to 255, for example `192.0.2.1`")]
    NotAnAddress {
        /// What was given for the host.
        host: String,
    },
    /// A bracket without its counterpart.
    #[error(
        "`{word}` has a bracket without its counterpart: write `[ADDRESS]:PORT`, for example `[2001:db8::1]:443`"
    )]
    BracketsUnbalanced {
        /// What was given.
        word: String,
    },
    /// Brackets around something that is no IPv6 address.
    #[error("`{inside}` is no IPv6 address: only those are written in brackets")]
    BracketsAroundOther {
        /// What was inside.
        inside: String,
    },
    /// Something other than `:PORT` after the closing bracket.
    #[error("`{rest}` follows the bracket: write `:PORT` there, as in `[2001:db8::1]:443`")]
    AfterBrackets {
        /// What was there.
        rest: String,
    },
    /// An IPv6 address and a port run together.
    #[error("`{word}` is an IPv6 address and a port without brackets: write `[{address}]:{port}`")]
    BracketsMissing {
        /// What was given.
        word: String,
        /// The part that is an address.
        address: String,
        /// The part after it.
        port: String,
    },
    /// An IPv6 address that may also be an address and a port.
    #[error(
        "`{word}` can mean two things: write `[{address}]:{port}` for port {port} of {address}, \
         or `[{word}]:PORT` for a port of {word}"
    )]
    Ambiguous {
        /// What was given.
        word: String,
        /// The address, if the last group is a port.
        address: String,
        /// The last group.
        port: String,
    },
    /// More than one colon, and no IPv6 address.
    #[error("`{word}` has more than one colon but is no IPv6 address: write `HOST:PORT` or `[ADDRESS]:PORT`")]
    TooManyColons {
        /// What was given.
        word: String,
    },
    /// A `%` that is not followed by the name of an interface.
    #[error("`{scope}` is no interface: write `[fe80::1%eth0]:PORT`")]
    ScopeInvalid {
        /// What was after the `%`.
        scope: String,
    },
    /// A URL.
    #[error("`{word}` is a URL, and a target is a host and a port: write `{instead}`")]
    Url {
        /// What was given.
        word: String,
        /// The target that it most likely means.
        instead: String,
    },
    /// More than one target on a line of a list.
    #[error("{count} targets on one line: a list has one target a line")]
    SeveralOnOneLine {
        /// How many there are.
        count: usize,
    },
}

/// A line of a list that is no target.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
/// Displayed as it follows the name of its file: `7: what is wrong`.
#[error("{line}: {error}")]
pub struct ListError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub error: TargetError,
}

//! An answer becomes bytes: packed with gzip where the client takes that, piece by piece, and only as fast as it reads.

use std::convert::Infallible;
use std::io::Write;
use std::pin::Pin;
use std::task::{Context, Poll};

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::body::{Bytes, Frame, SizeHint};
use hyper::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, VARY,
};
use hyper::{Method, StatusCode};

use super::wire::{Phase, Phases};
use super::{Body, Response};

/// Below this, packing costs more than it saves.
const WORTH_PACKING: usize = 1024;
/// So much is packed in one go.
const PIECE: usize = 64 << 10;

/// Makes it an answer to a request with this method and these headers. `more` are headers that all answers have; those
/// of the answer itself go before.
pub(super) fn answer(
    response: Response,
    method: &Method,
    headers: &HeaderMap,
    more: &[(HeaderName, HeaderValue)],
    phases: Phases,
) -> hyper::Response<AnswerBody> {
    let mut answer = hyper::Response::new(());
    *answer.status_mut() = StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in response.headers {
        // What is no header is left out: an answer without it is better than none.
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_maybe_shared(value),
        ) {
            answer.headers_mut().append(name, value);
        }
    }
    for (name, value) in more {
        answer.headers_mut().entry(name).or_insert_with(|| value.clone());
    }
    let is_worth_packing = match &response.body {
        Body::Whole(bytes) => bytes.len() >= WORTH_PACKING,
        Body::Pieces(_) => true,
    };
    let is_packed = is_worth_packing && takes_gzip(headers);
    if is_worth_packing {
        answer
            .headers_mut()
            .append(VARY, HeaderValue::from_static("accept-encoding"));
    }
    if is_packed {
        answer
            .headers_mut()
            .insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let content = match (response.body, is_packed) {
        (Body::Whole(bytes), false) => {
            answer
                .headers_mut()
                .insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
            Content::Whole(bytes.into())
        }
        (Body::Whole(bytes), true) => Content::packed(Box::new(chunks(bytes))),
        (Body::Pieces(pieces), false) => Content::Pieces(pieces),
        (Body::Pieces(pieces), true) => Content::packed(pieces),
    };
    answer.map(|()| AnswerBody {
        content: if *method == Method::HEAD {
            Content::Over
        } else {
            content
        },
        has_paused: true,
        phases,
    })
}

fn chunks(bytes: Vec<u8>) -> impl Iterator<Item = Vec<u8>> + Send {
    let mut bytes = Bytes::from(bytes);
    std::iter::from_fn(move || {
        let piece = bytes.split_to(bytes.len().min(PIECE));
        (!piece.is_empty()).then(|| piece.to_vec())
    })
}

/// Whether these headers ask for gzip: by its name or by `*`, with a weight that is not 0.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let mut named = None;
    let mut any = None;
    let values = headers.get_all(ACCEPT_ENCODING).iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    for part in texts.flat_map(|text| text.split(',')) {
        let (coding, parameters) = part.split_once(';').unwrap_or((part, ""));
        let weight = parameters
            .trim()
            .strip_prefix("q=")
            .or_else(|| parameters.trim().strip_prefix("Q="));
        let is_wanted =
            weight.is_none_or(|weight| weight.trim().parse().is_ok_and(|weight: f32| weight > 0.0));
        match coding.trim().to_ascii_lowercase().as_str() {
            "gzip" | "x-gzip" => named = Some(is_wanted),
            "*" => any = Some(is_wanted),
            _ => {}
        }
    }
    named.or(any).unwrap_or_default()
}

/// The body of an answer, as it is sent.
pub(super) struct AnswerBody {
    content: Content,
    /// After each piece others get their turn: to make one takes time.
    has_paused: bool,
    phases: Phases,
}

enum Content {
    Whole(Bytes),
    Pieces(Box<dyn Iterator<Item = Vec<u8>> + Send>),
    Packed(Box<dyn Iterator<Item = Vec<u8>> + Send>, Box<GzEncoder<Vec<u8>>>),
    Over,
}

impl Content {
    fn packed(pieces: Box<dyn Iterator<Item = Vec<u8>> + Send>) -> Self {
        Self::Packed(pieces, Box::new(GzEncoder::new(Vec::new(), Compression::fast())))
    }

    /// The next bytes; absent at the end. May be empty.
    fn next(&mut self) -> Option<Bytes> {
        match self {
            Self::Over => None,
            Self::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                *self = Self::Over;
                Some(bytes)
            }
            Self::Pieces(pieces) => pieces.next().map(Bytes::from),
            Self::Packed(pieces, packer) => {
                let Some(piece) = pieces.next() else {
                    // Writing to memory does not fail.
                    let rest = packer.try_finish().map(|()| std::mem::take(packer.get_mut()));
                    *self = Self::Over;
                    return rest.ok().map(Bytes::from);
                };
                // Neither does this.
                let _ = packer.write_all(&piece);
                Some(std::mem::take(packer.get_mut()).into())
            }
        }
    }
}

impl hyper::body::Body for AnswerBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if !self.has_paused {
            self.has_paused = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Some(bytes) = self.content.next() else {
            return Poll::Ready(None);
        };
        if bytes.is_empty() {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.has_paused = matches!(self.content, Content::Over);
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(self.content, Content::Over)
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Over => SizeHint::with_exact(0),
            Content::Pieces(_) | Content::Packed(..) => SizeHint::new(),
        }
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        self.phases.set(Phase::Handed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_for_those_who_ask_for_it() {
        for (header, expected) in [
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("br;q=1.0, gzip;q=0.8, *;q=0.1", true),
            ("*", true),
            ("identity", false),
            ("gzip;q=0", false),
            ("gzip; q=0.0, *", false),
            ("gzip;q=much", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(header));
            assert_eq!(takes_gzip(&headers), expected, "{header}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }
}

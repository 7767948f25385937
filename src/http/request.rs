//! From what hyper has read to a [`Request`], and the end of a body that nobody reads.

use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{CONTENT_LENGTH, HeaderMap};
use hyper::http::request::Parts;

use super::{Limits, Request, Response};

/// The request in the form in which it is answered.
pub(super) fn request(parts: &Parts) -> Request {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let query = parts.uri.query().unwrap_or_default();
    let headers = parts.headers.iter();
    Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        headers: headers
            .map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes())))
            .collect(),
    }
}

/// Takes a body, so that the connection can go on; or says why it does not.
pub(super) async fn take(body: Incoming, headers: &HeaderMap, limits: &Limits) -> Result<(), Response> {
    if body.is_end_stream() {
        return Ok(());
    }
    let most = limits.body_bytes;
    let too_large = || {
        let says = format!(
            "The body of a request may have {most} bytes here, and nothing here needs one: send none."
        );
        Response::text(413, says).with("connection", "close")
    };
    let announced = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if announced.is_some_and(|length| {
        length
            .trim()
            .parse()
            .is_ok_and(|length: u64| length > most as u64)
    }) {
        return Err(too_large());
    }
    let mut body = Limited::new(body, most);
    let all = async {
        while let Some(frame) = body.frame().await {
            frame?;
        }
        Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
    };
    match tokio::time::timeout(limits.body, all).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(
            Response::text(400, "The body of the request is not as HTTP/1.1 has it.")
                .with("connection", "close"),
        ),
        Err(_) => Err(
            Response::text(408, "The body of the request took too long to arrive.")
                .with("connection", "close"),
        ),
    }
}

//! What our pages have in common: texts that may not become anything else than text, and the hashes that let in their own script and
//! style alone.

use std::fmt;

use data_encoding::BASE64;

/// A text in HTML, inside of an element or of an attribute in quotes.
pub(super) struct Escaped<'a>(pub(super) &'a str);

/// As a content security policy names a script or a style that it lets in.
pub(super) fn policy_hash(text: &str) -> String {
    format!(
        "sha256-{}",
        BASE64.encode(&hmac_sha256::Hash::hash(text.as_bytes()))
    )
}

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => fmt::Write::write_char(f, other)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_written_as_browsers_compute_it() {
        // `printf '' | openssl dgst -sha256 -binary | base64`
        assert_eq!(
            policy_hash(""),
            "sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        );
    }

    #[test]
    fn nothing_of_a_text_is_markup() {
        assert_eq!(
            Escaped("</script><img src=x onerror='a(\"&\")'>").to_string(),
            "&lt;/script&gt;&lt;img src=x onerror=&#39;a(&quot;&amp;&quot;)&#39;&gt;"
        );
    }
}

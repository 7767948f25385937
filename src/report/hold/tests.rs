//! The forms of what idle connections come to.

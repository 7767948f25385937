//! The fully qualified names that a name can stand for, as the C library's stub resolver tries them.

/// The candidates of a name in the order in which they are tried, each with its trailing dot.
///
/// As glibc does (`__res_context_search`): a name with a trailing dot stands for itself alone; one with at least
/// `ndots` dots is tried as it is first, any other last; a name that is on the list twice is tried once.
pub(super) fn candidates(name: &str, search: &[String], ndots: usize) -> Vec<String> {
    if name.ends_with('.') {
        return vec![name.to_owned()];
    }
    let as_it_is = format!("{name}.");
    let searched = search.iter().map(|domain| match domain.trim_matches('.') {
        "" => as_it_is.clone(),
        domain => format!("{name}.{domain}."),
    });
    let dots = name.matches('.').count();
    let mut all: Vec<String> = if dots >= ndots {
        std::iter::once(as_it_is.clone()).chain(searched).collect()
    } else {
        searched.chain(std::iter::once(as_it_is.clone())).collect()
    };
    let mut seen = std::collections::HashSet::new();
    all.retain(|candidate| seen.insert(candidate.to_ascii_lowercase()));
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, search: &[&str], ndots: usize) -> String {
        let search: Vec<String> = search.iter().map(|&domain| domain.to_owned()).collect();
        candidates(name, &search, ndots).join(" ")
    }

    #[test]
    fn a_short_name_is_searched_before_it_is_tried_as_it_is() {
        assert_eq!(
            of("web", &["a.example", "b.example."], 1),
            "web.a.example. web.b.example. web."
        );
    }

    #[test]
    fn a_name_with_enough_dots_is_tried_as_it_is_first() {
        assert_eq!(of("web.ns", &["svc.local"], 1), "web.ns. web.ns.svc.local.");
        assert_eq!(of("web.ns", &["svc.local"], 5), "web.ns.svc.local. web.ns.");
        assert_eq!(of("web", &["svc.local"], 0), "web. web.svc.local.");
    }

    #[test]
    fn a_trailing_dot_keeps_the_search_list_out() {
        assert_eq!(of("web.", &["a.example"], 5), "web.");
    }

    #[test]
    fn the_root_and_repetitions_are_tried_once() {
        assert_eq!(
            of("web", &[".", "a.example", "A.example"], 1),
            "web. web.a.example."
        );
    }
}

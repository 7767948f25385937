//! What the demonstration looks like.

use super::*;
use crate::report::fixtures;

const SCENE: Scene = Scene {
    name: "refused-by-router",
    broken: "A router answers with a RST in the name of the host.",
    truth: Cause::MiddleboxReset,
};

/// A run that says what the fixture of a refused port says, which does not rule out a middlebox.
fn refused() -> Shown {
    run(fixtures::refused())
}

fn certain() -> Shown {
    let mut target = fixtures::refused();
    target.endpoints[0].diagnosis.confidence = Confidence::Certain;
    run(target)
}

#[expect(clippy::unnecessary_wraps, reason = "what is shown may have failed")]
fn run(target: TargetOutcome) -> Shown {
    Ok(Reread {
        syn_schedule: None,
        targets: vec![target],
    })
}

fn text_of(write: impl Fn(&mut Vec<u8>) -> io::Result<()>) -> String {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn a_verdict_is_right_or_not_sure_or_wrong() {
    let nothing = Ok(Reread {
        syn_schedule: None,
        targets: Vec::new(),
    });
    for (truth, shown, sign) in [
        (Cause::NoListener, refused(), '='),
        (Cause::MiddleboxReset, refused(), '~'),
        (Cause::Port, refused(), '!'),
        (Cause::NoListener, Err("no".to_owned()), '?'),
        (Cause::NoListener, nothing, '?'),
    ] {
        assert_eq!(Mark::of(truth, &shown).sign(), sign, "{truth} {shown:?}");
    }
}

#[test]
fn a_name_that_failed_has_a_verdict() {
    assert_eq!(Mark::of(Cause::NxDomain, &run(fixtures::nxdomain())).sign(), '=');
}

#[test]
fn a_case_has_a_line_for_what_is_broken_and_one_for_the_verdicts() {
    let style = Style::default();
    let runs = [(Permitted::Connect, refused()), (Permitted::Raw, refused())];
    let text = text_of(|out| {
        heading(&[Permitted::Connect, Permitted::Raw], &style, out)?;
        case(&SCENE, &runs, &style, out)?;
        let truth = Cause::NoListener;
        case(&Scene { truth, ..SCENE }, &runs, &style, out)
    });
    assert_eq!(
        text,
        "\
what is broken
  the truth                        connect sight          raw sight

refused-by-router     A router answers with a RST in the name of the host.
  refused/middlebox-reset          ~ no-listener          ~ no-listener
refused-by-router     A router answers with a RST in the name of the host.
  refused/no-listener              = likely               = likely
"
    );
}

#[test]
fn what_is_wrong_or_failed_is_said_in_words() {
    let scene = Scene {
        truth: Cause::Port,
        ..SCENE
    };
    let runs = [
        (Permitted::Connect, certain()),
        (Permitted::Raw, Err("links: no".to_owned())),
    ];
    assert_eq!(
        text_of(|out| case(&scene, &runs, &Style::default(), out)),
        "\
refused-by-router     A router answers with a RST in the name of the host.
  filtered/port                    ! no-listener          ? not shown
  connect sight: refused/no-listener (certain) is wrong, and rules the truth out
  raw sight: links: no
"
    );
}

#[test]
fn every_verdict_fits_its_column() {
    for cause in Cause::ALL {
        assert!(full(*cause).len() <= TRUTH, "{cause}");
        assert!(cause.label().len() + 2 <= VERDICT, "{cause}");
    }
    assert_eq!(2 + TRUTH + 2 * (1 + VERDICT), 80);
}

#[test]
fn the_sum_counts_what_was_certain_and_wrong_apart() {
    let mut tally = Tally::new(Permitted::Connect);
    tally.add(Cause::NoListener, &certain());
    tally.add(Cause::MiddleboxReset, &refused());
    tally.add(Cause::Port, &refused());
    tally.add(Cause::Port, &certain());
    tally.add(Cause::Port, &Err("no".to_owned()));
    let text = text_of(|out| {
        closing(
            5,
            std::slice::from_ref(&tally),
            Duration::from_millis(14_200),
            &Style::default(),
            out,
        )
    });
    assert_eq!(
        text,
        "
               right   not sure   wrong   certain and wrong   not shown
connect sight      1          1       2                   1           1

= right: the verdict is the truth; beside it how sure it was
~ not sure: another verdict, which names the truth as what it could be as well
! wrong: another verdict, which rules the truth out
connect sight  as any user, without a capability

5 cases in 14.2 s. `tcpprobe demo NAME` shows one in full.
"
    );
}

#[test]
fn a_case_in_full_has_its_file_and_the_whole_report() {
    let runs = [(Permitted::Connect, refused())];
    let text = text_of(|out| in_full(&SCENE, "[network]\n\nx = 1\n", &runs, &Style::default(), out));
    let (before, report) = text.split_once("10.0.3.7:81  ").unwrap();
    assert_eq!(
        before,
        "\
refused-by-router     A router answers with a RST in the name of the host.
The truth: refused/middlebox-reset

    [network]

    x = 1

connect sight, as any user, without a capability:
"
    );
    assert!(report.starts_with("refused/no-listener (likely)"), "{report}");
    let end = "\n~ the truth is refused/middlebox-reset, which it does not rule out\n";
    assert!(report.ends_with(end), "{report}");
}

#[test]
fn colours_have_no_width() {
    let plain = Style::default();
    let colour = Style {
        colour: true,
        ..plain
    };
    let runs = [(Permitted::Connect, refused())];
    let coloured = text_of(|out| case(&SCENE, &runs, &colour, out));
    assert!(coloured.contains("\u{1b}["));
    assert_eq!(
        anstream::adapter::strip_str(&coloured).to_string(),
        text_of(|out| case(&SCENE, &runs, &plain, out))
    );
}

//! Between which idle times connections stop to live, as far as connections agree on it.

use std::time::Duration;

use crate::evidence::Answer;
use crate::evidence::hold::{Asked, End, Held, Holding};

/// Lives and deaths, as far as they are of idle time and not of the target or of loss.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bounds {
    /// Idle times that were lived through, with the number of the connection: no longer than the peer was silent as well.
    pub lived: Vec<(Duration, usize)>,
    /// Idle times that were not, while new connections could be made: nothing was silent for longer than we were.
    pub died: Vec<(Duration, usize)>,
    /// Connections that ended while new ones could not be made.
    pub lost: Vec<usize>,
    /// Connections that ended without a control, or in a silence that loss may explain.
    pub unproven: Vec<usize>,
}

/// Timers of boxes and servers are swept now and then, so that one idle time may live once and die another time.
const COARSE: f64 = 0.05;
const COARSE_AT_LEAST: Duration = Duration::from_secs(2);
/// What is asked again is asked after the same time, but for how long a handshake takes.
const AS_LONG: f64 = 0.995;
/// Above this, a silence may be loss.
const BY_CHANCE: f64 = 0.01;

impl Bounds {
    /// Of everything that was seen.
    pub fn of(holding: &Holding) -> Self {
        let mut bounds = Self::default();
        let loss = loss(holding);
        for (index, held) in holding.held.iter().enumerate() {
            let is_death = match &held.end {
                End::Alive { .. } => {
                    bounds.lived.push((held.quiet_s, index));
                    false
                }
                End::Silent { probes, fins } => {
                    let tries = i32::from(*probes) + i32::try_from(*fins).unwrap_or(i32::MAX);
                    if loss.powi(tries) > BY_CHANCE {
                        bounds.unproven.push(index);
                        false
                    } else {
                        true
                    }
                }
                End::Reset { .. } | End::Rejected { .. } | End::Closed { .. } => true,
                End::NotMade { .. } | End::CutShort | End::CouldNotAsk { .. } => false,
            };
            if !is_death {
                continue;
            }
            match control(held) {
                Control::Open => bounds.died.push((held.idle_s, index)),
                Control::Failed => bounds.lost.push(index),
                // A FIN or a RST that comes by itself is seen, whatever becomes of others.
                Control::Unknown if is_told(held) => bounds.died.push((held.idle_s, index)),
                Control::Unknown => bounds.unproven.push(index),
            }
        }
        bounds
    }

    /// The shortest idle time that ended a connection.
    pub fn shortest_death(&self) -> Option<(Duration, usize)> {
        self.died.iter().copied().min()
    }

    /// The longest that was lived through.
    pub fn longest_life(&self) -> Option<(Duration, usize)> {
        self.lived.iter().copied().max()
    }

    /// The longest that was lived through and is shorter than every death.
    pub fn longest_life_before_death(&self) -> Option<Duration> {
        let death = self.shortest_death()?.0;
        self.lived
            .iter()
            .map(|(lived, _)| *lived)
            .filter(|lived| *lived < death)
            .max()
    }

    /// Whether something lived for clearly longer than something else died; or for as long, in a later round in which nothing
    /// died: then what ended the other happened only once.
    pub fn contradict(&self, holding: &Holding) -> bool {
        let (Some((life, _)), Some((death, index))) = (self.longest_life(), self.shortest_death()) else {
            return false;
        };
        if life > death + death.mul_f64(COARSE).max(COARSE_AT_LEAST) {
            return true;
        }
        let round = |index: usize| holding.held.get(index).map(|held| held.round);
        let last_death = self.died.iter().filter_map(|(_, index)| round(*index)).max();
        let as_long = death.mul_f64(AS_LONG);
        round(index) == last_death
            && self
                .lived
                .iter()
                .any(|(life, index)| *life >= as_long && round(*index) > last_death)
    }
}

enum Control {
    Open,
    Failed,
    Unknown,
}

fn control(held: &Held) -> Control {
    match held.control.as_ref().map(|dial| &dial.answer) {
        Some(Answer::SynAck(_)) => Control::Open,
        Some(Answer::Rst | Answer::Icmp(_) | Answer::Silence) => Control::Failed,
        // Our own side says nothing of the target.
        Some(Answer::Local(_)) | None => Control::Unknown,
    }
}

fn is_told(held: &Held) -> bool {
    match &held.end {
        End::Closed { .. } | End::Reset { .. } => true,
        End::NotMade { .. }
        | End::Alive { .. }
        | End::Silent { .. }
        | End::Rejected { .. }
        | End::CutShort
        | End::CouldNotAsk { .. } => false,
    }
}

/// The share of questions of which they or their answers are lost, by what living connections needed; 5 % before anything was
/// seen.
pub(super) fn loss(holding: &Holding) -> f64 {
    let (mut sent, mut answered) = (10.0, 9.5);
    for held in &holding.held {
        match &held.end {
            End::Alive {
                probes,
                to: Asked::Keepalive,
                ..
            } => {
                sent += f64::from(held.syns) + f64::from(*probes);
                answered += 2.0;
            }
            End::NotMade { .. } => {}
            End::Alive { .. }
            | End::Silent { .. }
            | End::Reset { .. }
            | End::Rejected { .. }
            | End::Closed { .. }
            | End::CutShort
            | End::CouldNotAsk { .. } => {
                sent += f64::from(held.syns);
                answered += f64::from(held.syns.min(1));
            }
        }
    }
    1.0 - answered / sent
}

/// Whether connections ended by themselves at the same age, and not at the same moment: by a timer of their own, and not because
/// something ended all of them. Each is given by when its
/// handshake was done and how long it was idle. Absent where that cannot be told.
pub fn closes_by_age(closings: &[(Duration, Duration)]) -> Option<bool> {
    /// Less than this may be how processes are scheduled.
    const TOLD_APART: Duration = Duration::from_millis(40);
    let spread = |values: &dyn Fn(&(Duration, Duration)) -> Duration| {
        let all = || closings.iter().map(values);
        Some(all().max()?.saturating_sub(all().min()?))
    };
    let (ages, moments) = (spread(&|(_, age)| *age)?, spread(&|(began, age)| *began + *age)?);
    if moments > 2 * ages && moments >= TOLD_APART {
        Some(true)
    } else if ages > 2 * moments && ages >= TOLD_APART {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(closings: &[(u64, u64)]) -> Option<bool> {
        let of = |(began, age): &(u64, u64)| (Duration::from_millis(*began), Duration::from_millis(*age));
        closes_by_age(&closings.iter().map(of).collect::<Vec<_>>())
    }

    #[test]
    fn the_same_age_at_different_moments_is_a_timer() {
        assert_eq!(all(&[(0, 3000), (50, 3001), (100, 3000)]), Some(true));
    }

    #[test]
    fn the_same_moment_at_different_ages_is_an_end_of_all() {
        assert_eq!(all(&[(0, 3000), (50, 2950), (100, 2901)]), Some(false));
    }

    #[test]
    fn one_closing_alone_or_a_coarse_timer_tells_neither() {
        assert_eq!(all(&[(0, 3000)]), None);
        assert_eq!(all(&[(0, 3000), (10, 2995)]), None);
    }
}

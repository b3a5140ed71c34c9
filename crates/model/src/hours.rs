//! When somebody is there to help: `mon-fri 08:00-18:00, sat 09:00-12:00`.

use std::fmt;

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Minutes of a day.
const DAY: u16 = 24 * 60;

/// Parts that one text may have: one for each half of each day is plenty.
const MAX_PARTS: usize = 28;

/// A text that names no hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("hours are like \"mon-fri 08:00-18:00, sat 09:00-12:00\"")]
pub struct ParseHoursError;

/// Days and times of the week, each time from its first minute on and before
/// its last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours(Vec<HoursPart>);

impl Hours {
    /// Reads what an operator wrote.
    ///
    /// # Errors
    /// No such days, no such time, or an end that is not after its beginning.
    pub fn parse(text: &str) -> Result<Self, ParseHoursError> {
        let parts: Vec<_> = text.split(',').take(MAX_PARTS + 1).collect();
        if parts.len() > MAX_PARTS {
            return Err(ParseHoursError);
        }
        let parts: Option<Vec<_>> = parts.into_iter().map(part).collect();
        parts.map(Self).ok_or(ParseHoursError)
    }

    /// All parts, as they were written.
    pub fn parts(&self) -> &[HoursPart] {
        &self.0
    }

    /// True at that minute of that day; Monday is 0.
    pub fn contain(&self, day: u8, minute: u16) -> bool {
        self.0.iter().any(|part| {
            (part.days.0..=part.days.1).contains(&day)
                && (part.minutes.0..part.minutes.1).contains(&minute)
        })
    }
}

/// From one day to another, both included, and from one minute of the day to before another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HoursPart {
    /// The first and the last; Monday is 0.
    pub days: (u8, u8),
    /// First minute of those days, and the one before which it ends.
    pub minutes: (u16, u16),
}

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(", ")?;
            }
            let (first, last) = part.days;
            f.write_str(DAYS[usize::from(first)])?;
            if last != first {
                write!(f, "-{}", DAYS[usize::from(last)])?;
            }
            let (from, to) = part.minutes;
            write!(
                f,
                " {:02}:{:02}-{:02}:{:02}",
                from / 60,
                from % 60,
                to / 60,
                to % 60
            )?;
        }
        Ok(())
    }
}

fn part(text: &str) -> Option<HoursPart> {
    let text = text.trim().to_ascii_lowercase();
    let (days, times) = text.split_once(' ')?;
    let (first, last) = days.split_once('-').unwrap_or((days, days));
    let days = (day(first)?, day(last)?);
    let (from, to) = times.trim().split_once('-')?;
    let minutes = (minute(from)?, minute(to)?);
    (days.0 <= days.1 && minutes.0 < minutes.1).then_some(HoursPart { days, minutes })
}

fn day(text: &str) -> Option<u8> {
    let index = DAYS.iter().position(|day| *day == text)?;
    u8::try_from(index).ok()
}

fn minute(text: &str) -> Option<u16> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let number = |text: &str| {
        let plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        plain.then(|| text.parse::<u16>().ok()).flatten()
    };
    let (hours, minutes) = (number(hours)?, number(minutes)?);
    let of_day = hours * 60 + minutes;
    (minutes < 60 && of_day <= DAY).then_some(of_day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn knows_when_somebody_is_there() {
        let hours = Hours::parse("Mon-Fri 08:00-12:00, mon-fri 13:00-18:00,sat 09:30-24:00");
        let hours = hours.expect("hours");
        let table = [
            (0, "08:00", true),
            (0, "07:59", false),
            (4, "11:59", true),
            (4, "12:00", false),
            (4, "13:00", true),
            (5, "09:30", true),
            (5, "23:59", true),
            (5, "09:29", false),
            (6, "10:00", false),
        ];
        for (day, time, expected) in table {
            let minute = minute(time).expect("a time");
            assert_eq!(hours.contain(day, minute), expected, "{day} {time}");
        }
    }

    #[test]
    fn refuses_what_are_no_hours() {
        let table = [
            "",
            "mon",
            "mon 8:00-18:00",
            "mon 08:00",
            "mon 18:00-08:00",
            "mon 08:00-08:00",
            "mon 08:60-09:00",
            "mon 08:00-24:01",
            "fri-mon 08:00-18:00",
            "day 08:00-18:00",
            "mon 08:00-18:00,",
            "mon +8:00-18:00",
            "mon 99999:00-18:00",
        ];
        for text in table {
            assert_eq!(Hours::parse(text), Err(ParseHoursError), "{text:?}");
        }
        let many = vec!["mon 08:00-09:00"; MAX_PARTS + 1].join(",");
        assert_eq!(Hours::parse(&many), Err(ParseHoursError));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,80}") {
            let _answer = Hours::parse(&text);
        }

        #[test]
        fn what_is_read_reads_the_same_when_it_is_shown(
            parts in prop::collection::vec((0_u8..7, 0_u8..7, 0_u16..1_440, 1_u16..=1_440), 1..5)
        ) {
            let parts: Vec<_> = parts
                .into_iter()
                .map(|(first, last, from, to)| HoursPart {
                    days: (first.min(last), first.max(last)),
                    minutes: (from.min(to - 1), to.max(from + 1)),
                })
                .collect();
            let hours = Hours(parts);

            prop_assert_eq!(Hours::parse(&hours.to_string()), Ok(hours));
        }
    }
}

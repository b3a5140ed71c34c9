//! When somebody is there to help: days and times, and whose clock they mean.

use anyhow::{Context as _, bail};
use chrono::{
    DateTime, Datelike as _, FixedOffset, Local, Offset as _, TimeZone, Timelike as _, Utc,
};
use chrono_tz::Tz;
use gc_model::hours::Hours;

use super::given;

/// Hours of an operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupportHours {
    /// Days and times.
    pub hours: Hours,
    /// Whose clock; the server's own (`TZ`) where none is named.
    pub zone: Option<Tz>,
}

impl SupportHours {
    /// Reads `SUPPORT_HOURS` and `SUPPORT_TIME_ZONE`; `None` where somebody is always there.
    pub(super) fn read(
        hours: Option<String>,
        zone: Option<String>,
    ) -> anyhow::Result<Option<Self>> {
        let zone = given(zone).map(|text| parse_zone(&text)).transpose()?;
        let Some(text) = given(hours) else {
            if zone.is_some() {
                bail!("SUPPORT_TIME_ZONE needs SUPPORT_HOURS, which it is for");
            }
            return Ok(None);
        };
        let hours =
            Hours::parse(&text).with_context(|| format!("SUPPORT_HOURS: cannot read {text:?}"))?;
        Ok(Some(Self { hours, zone }))
    }

    /// Somebody is there at that time.
    pub fn contain(&self, now: DateTime<Utc>) -> bool {
        match &self.zone {
            Some(zone) => self.contain_here(&now.with_timezone(zone)),
            None => self.contain_here(&now.with_timezone(&Local)),
        }
    }

    fn contain_here<Z: TimeZone>(&self, here: &DateTime<Z>) -> bool {
        let day = u8::try_from(here.weekday().num_days_from_monday());
        let minute = u16::try_from(here.hour() * 60 + here.minute());
        self.hours.contain(
            day.expect("a week has seven days"),
            minute.expect("a day has 1,440 minutes"),
        )
    }

    /// Whose clock is meant, for people: the zone's name, or how far the server's clock is ahead.
    pub fn clock(&self, now: DateTime<Utc>) -> String {
        if let Some(zone) = &self.zone {
            return zone.name().to_owned();
        }
        let ahead: FixedOffset = now.with_timezone(&Local).offset().fix();
        format!("UTC{ahead}")
    }
}

/// A name of the IANA time zone database.
fn parse_zone(text: &str) -> anyhow::Result<Tz> {
    let Ok(zone) = text.parse() else {
        bail!(
            "SUPPORT_TIME_ZONE: there is no time zone {text:?}; names are like Europe/Berlin, \
             America/New_York or UTC"
        );
    };
    Ok(zone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(text: &str, zone: &str) -> SupportHours {
        let read = SupportHours::read(Some(text.to_owned()), Some(zone.to_owned()));
        read.expect("settings").expect("hours")
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("a time")
    }

    #[test]
    fn hours_follow_the_clock_of_their_zone_when_it_is_put_forward_and_back() {
        let berlin = hours("mon-fri 08:00-18:00", "Europe/Berlin");
        let table = [
            // Friday in winter time, Monday after the last Sunday of March.
            ("2026-03-27T06:59:59Z", false),
            ("2026-03-27T07:00:00Z", true),
            ("2026-03-30T05:59:59Z", false),
            ("2026-03-30T06:00:00Z", true),
            ("2026-03-30T15:59:59Z", true),
            ("2026-03-30T16:00:00Z", false),
            // Friday in summer time, Monday after the last Sunday of October.
            ("2026-10-23T06:00:00Z", true),
            ("2026-10-26T06:59:59Z", false),
            ("2026-10-26T07:00:00Z", true),
        ];
        for (time, expected) in table {
            assert_eq!(berlin.contain(at(time)), expected, "{time}");
        }
    }

    #[test]
    fn an_hour_that_comes_twice_counts_twice_and_one_that_is_left_out_never() {
        let night = hours("sun 02:00-03:00", "Europe/Berlin");

        assert!(night.contain(at("2026-10-25T00:30:00Z")));
        assert!(night.contain(at("2026-10-25T01:30:00Z")));
        assert!(!night.contain(at("2026-10-25T02:00:00Z")));
        assert!(!night.contain(at("2026-03-29T00:59:59Z")));
        assert!(!night.contain(at("2026-03-29T01:00:00Z")));
    }

    #[test]
    fn a_day_is_the_zones_own() {
        let auckland = hours("mon 00:00-24:00", "Pacific/Auckland");

        assert!(auckland.contain(at("2026-06-07T12:00:00Z")));
        assert!(!auckland.contain(at("2026-06-08T12:00:00Z")));
        assert_eq!(
            auckland.clock(at("2026-06-07T12:00:00Z")),
            "Pacific/Auckland"
        );
    }

    #[test]
    fn the_servers_own_clock_is_named_by_its_distance() {
        let read = SupportHours::read(Some("mon 08:00-18:00".to_owned()), None);
        let own = read.expect("settings").expect("hours");

        assert!(own.clock(Utc::now()).starts_with("UTC"));
    }

    #[test]
    fn what_is_no_time_zone_is_refused_by_name() {
        for zone in ["Berlin", "CEST+2", "Europe/Atlantis", "../../etc/passwd"] {
            let read = SupportHours::read(Some("mon 08:00-18:00".into()), Some(zone.into()));
            let error = read.expect_err("is refused").to_string();
            assert!(
                error.contains("SUPPORT_TIME_ZONE") && error.contains("Europe/Berlin"),
                "{error}"
            );
        }
        let alone = SupportHours::read(None, Some("Europe/Berlin".into()));
        assert!(
            alone
                .expect_err("is refused")
                .to_string()
                .contains("SUPPORT_HOURS")
        );
        assert_eq!(
            SupportHours::read(None, Some(String::new())).expect("settings"),
            None
        );
    }
}

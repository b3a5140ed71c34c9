//! Notices: what the server tells people who are not looking at it, by e-mail or
//! webhook, and how often it tries.

use std::time::Duration;

/// Tries of one delivery: with a first wait of half a minute the last one is
/// about seventeen hours after the first.
pub const MAX_ATTEMPTS: u32 = 8;

/// 6 h: a mail server that was down over night is tried again before work begins.
const LONGEST_WAIT: Duration = Duration::from_hours(6);

/// Each wait is so many times as long as the one before.
const GROWTH: u32 = 4;

/// How a notice travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Channel {
    /// SMTP.
    Email,
    /// A signed HTTP request.
    Webhook,
}

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 2] = [Self::Email, Self::Webhook];

    /// Its name in the database and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Webhook => "webhook",
        }
    }

    /// The channel of that name; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|channel| channel.as_str() == text)
    }
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeliveryState {
    /// To be tried, or tried again.
    Pending,
    /// The other side took it.
    Delivered,
    /// Given up.
    Failed,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Pending, Self::Delivered, Self::Failed];

    /// Its name in the database and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
        }
    }

    /// The state of that name; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// How long to wait after the `attempts`-th try has failed; `None` when it was
/// the last. `first` is the wait after the first.
pub fn wait_after(attempts: u32, first: Duration) -> Option<Duration> {
    if attempts >= MAX_ATTEMPTS {
        return None;
    }
    let growth = GROWTH.saturating_pow(attempts.saturating_sub(1));
    Some(first.saturating_mul(growth).min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_longer_each_time_and_gives_up() {
        let waits: Vec<_> = (1..=MAX_ATTEMPTS)
            .map(|attempts| wait_after(attempts, Duration::from_secs(30)))
            .collect();

        let seconds = [30, 120, 480, 1_920, 7_680, 21_600, 21_600];
        let mut expected: Vec<_> = seconds
            .into_iter()
            .map(|seconds| Some(Duration::from_secs(seconds)))
            .collect();
        expected.push(None);
        assert_eq!(waits, expected);
        assert_eq!(wait_after(u32::MAX, Duration::MAX), None);
        assert_eq!(wait_after(7, Duration::MAX), Some(LONGEST_WAIT));
    }

    #[test]
    fn names_lead_back() {
        for channel in Channel::ALL {
            assert_eq!(Channel::parse(channel.as_str()), Some(channel));
        }
        for state in DeliveryState::ALL {
            assert_eq!(DeliveryState::parse(state.as_str()), Some(state));
        }
        assert_eq!(Channel::parse("Email"), None);
        assert_eq!(DeliveryState::parse(""), None);
    }
}

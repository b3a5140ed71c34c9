//! Whether our icon stands beside the clock. The shell may not be there yet, may be too busy to
//! answer, and may be started anew, so what it was asked last is not what it shows.

/// What the shell is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    /// A new icon.
    Add,
    /// That the icon that is there looks as it is to look now.
    Change,
}

/// See the module.
#[derive(Debug, Default)]
pub struct IconPlace {
    is_there: bool,
}

impl IconPlace {
    /// True once the shell shows it.
    pub const fn is_there(&self) -> bool {
        self.is_there
    }

    /// The task bar is another one.
    pub const fn forget(&mut self) {
        self.is_there = false;
    }

    /// Shows the icon as it is to look now. `ask` answers whether the shell did it. Where it did
    /// not, it may have been another shell's icon, or it did it after all and answered too late.
    pub fn show(&mut self, ask: impl FnMut(Ask) -> bool) -> bool {
        let order = if self.is_there {
            [Ask::Change, Ask::Add]
        } else {
            [Ask::Add, Ask::Change]
        };
        self.is_there = order.into_iter().any(ask);
        self.is_there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A shell that has a task bar or not, and an icon or not.
    #[derive(Default)]
    struct Shell {
        runs: bool,
        has_icon: bool,
        asked: Vec<Ask>,
    }

    impl Shell {
        fn show(&mut self, place: &mut IconPlace) -> bool {
            place.show(|ask| {
                self.asked.push(ask);
                let does = self.runs && self.has_icon == (ask == Ask::Change);
                self.has_icon |= does;
                does
            })
        }
    }

    #[test]
    fn an_icon_comes_though_the_task_bar_was_not_there_when_it_was_first_asked_for() {
        let (mut shell, mut place) = (Shell::default(), IconPlace::default());
        assert!(!shell.show(&mut place));

        shell.runs = true;

        assert!(shell.show(&mut place) && place.is_there());
        assert!(shell.has_icon);
    }

    #[test]
    fn an_icon_is_there_again_after_the_shell_was_started_anew() {
        let (mut shell, mut place) = (Shell::default(), IconPlace::default());
        shell.runs = true;
        shell.show(&mut place);

        for is_told in [true, false] {
            shell.has_icon = false;
            if is_told {
                place.forget();
            }
            assert!(shell.show(&mut place));
            assert!(shell.has_icon);
        }
    }

    #[test]
    fn a_shell_that_answered_too_late_is_not_asked_for_a_second_icon() {
        let (mut shell, mut place) = (Shell::default(), IconPlace::default());
        (shell.runs, shell.has_icon) = (true, true);
        assert!(shell.show(&mut place));
        assert!(shell.show(&mut place));

        assert_eq!(shell.asked, [Ask::Add, Ask::Change, Ask::Change]);
    }
}

//! Who may do what: one table of role and permission, asked at one gate.

/// What a person is to this server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Runs sessions of their own.
    Technician,
    /// A technician who may also end the sessions of others.
    SeniorTechnician,
    /// Everything.
    Admin,
}

/// One thing that not everybody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See the list of machines and their facts.
    SeeMachines,
    /// Give a machine another name.
    RenameMachine,
    /// Remove a machine, or take its key away.
    RemoveMachine,
    /// Make, list and delete enrolment tokens.
    ManageEnrolment,
    /// Lock, restart and switch off a machine, also when nobody looks at it.
    UsePower,
    /// View and control a machine.
    StartSession,
    /// See the list of sessions, everybody's.
    SeeSessions,
    /// End a session that somebody else started.
    EndSessionOfOthers,
    /// Make support codes, let guests in, write to them.
    Support,
    /// Cancel or answer a support code that belongs to somebody else.
    SupportForOthers,
    /// Read and export the audit log.
    ReadAudit,
    /// See what was sent by e-mail and webhook, and send a test.
    SeeNotices,
    /// Add people, set what they may do, take their access away.
    ManageUsers,
}

impl Role {
    /// Every role, lowest first.
    pub const ALL: [Self; 3] = [Self::Technician, Self::SeniorTechnician, Self::Admin];

    /// The decision, for every role and every permission.
    pub const fn may(self, permission: Permission) -> bool {
        use Permission as P;
        match permission {
            P::SeeMachines
            | P::RenameMachine
            | P::UsePower
            | P::StartSession
            | P::SeeSessions
            | P::Support => true,
            P::EndSessionOfOthers | P::SupportForOthers => {
                matches!(self, Self::SeniorTechnician | Self::Admin)
            }
            P::RemoveMachine
            | P::ManageEnrolment
            | P::ReadAudit
            | P::SeeNotices
            | P::ManageUsers => matches!(self, Self::Admin),
        }
    }

    /// Its name in the database and the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Technician => "technician",
            Self::SeniorTechnician => "senior_technician",
            Self::Admin => "admin",
        }
    }

    /// The role of that name; `None` for any other text.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_role_may_do_exactly_what_the_table_says() {
        use Permission as P;
        let table = [
            (P::SeeMachines, [true, true, true]),
            (P::RenameMachine, [true, true, true]),
            (P::UsePower, [true, true, true]),
            (P::StartSession, [true, true, true]),
            (P::SeeSessions, [true, true, true]),
            (P::EndSessionOfOthers, [false, true, true]),
            (P::Support, [true, true, true]),
            (P::SupportForOthers, [false, true, true]),
            (P::RemoveMachine, [false, false, true]),
            (P::ManageEnrolment, [false, false, true]),
            (P::ReadAudit, [false, false, true]),
            (P::SeeNotices, [false, false, true]),
            (P::ManageUsers, [false, false, true]),
        ];
        for (permission, expected) in table {
            assert_eq!(
                Role::ALL.map(|role| role.may(permission)),
                expected,
                "{permission:?}"
            );
        }
    }

    #[test]
    fn names_lead_back_to_their_role() {
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!(Role::parse("Admin"), None);
    }
}

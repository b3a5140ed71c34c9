//! The agent among the services of Windows: registered, started, stopped, and
//! serving the service control manager.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use gc_platform::{
    PlatformError, ServiceBody, ServiceControl, ServiceEvent, ServiceEvents, ServiceStart,
};
use windows_service::service::{
    Service, ServiceAccess, ServiceAction, ServiceActionType, ServiceControl as Control,
    ServiceControlAccept, ServiceErrorControl, ServiceExitCode, ServiceFailureActions,
    ServiceFailureResetPeriod, ServiceInfo, ServiceStartType, ServiceState, ServiceStatus,
    ServiceType,
};
use windows_service::service_control_handler::{
    self, ServiceControlHandlerResult, ServiceStatusHandle,
};
use windows_service::service_manager::{ServiceManager, ServiceManagerAccess};
use windows_service::{define_windows_service, service_dispatcher};
use windows_sys::Win32::Foundation::{
    ERROR_ACCESS_DENIED, ERROR_SERVICE_ALREADY_RUNNING, ERROR_SERVICE_DOES_NOT_EXIST,
    ERROR_SERVICE_MARKED_FOR_DELETE, ERROR_SERVICE_NOT_ACTIVE,
};

use super::{program_files, registry};

/// The service's name, for `sc` and scripts.
const NAME: &str = "GuruConnectAgent";

/// As the list of services shows it.
const DISPLAY_NAME: &str = "GuruConnect Agent";

const DESCRIPTION: &str = "Lets the technicians of your GuruConnect server see and control this computer. \
     Who looked is in the server's audit log.";

/// 30 s: how long the service control manager itself waits for a service.
const PATIENCE: Duration = Duration::from_secs(30);

/// 100 ms between two looks at a state that changes.
const LOOK_INTERVAL: Duration = Duration::from_millis(100);

/// After its first, second and every further crash the service is back this soon.
const RESTART_AFTER: [Duration; 3] = [
    Duration::from_secs(1),
    Duration::from_secs(5),
    Duration::from_secs(30),
];

/// A day without a crash makes the next one the first again.
const CRASHES_FORGOTTEN_AFTER: Duration = Duration::from_hours(24);

/// Sessions are told within 3 s, and connections closed within 2 s; the rest is room for a slow machine.
const STOP_HINT: Duration = Duration::from_secs(15);

/// While it stops, the service says this often that it still does.
const CHECKPOINT_INTERVAL: Duration = Duration::from_secs(1);

/// Windows starts services whose name stands below these keys in the two kinds of safe mode.
const SAFE_MODES: [&str; 2] = ["Minimal", "Network"];

/// Values below `Run` with which earlier versions started with a user.
const LEGACY_RUN_VALUES: [&str; 2] = ["GuruConnect", "GuruConnectAgent"];

/// The agent's service.
#[derive(Debug, Clone, Copy, Default)]
pub struct WindowsService;

impl ServiceControl for WindowsService {
    fn program(&self) -> Result<PathBuf, PlatformError> {
        Ok(program_files::program())
    }

    fn is_installed(&self) -> Result<bool, PlatformError> {
        let manager = manager(ServiceManagerAccess::CONNECT)?;
        Ok(open(&manager, ServiceAccess::QUERY_STATUS)?.is_some())
    }

    fn install(&self, from: &Path, arguments: &[String]) -> Result<Vec<String>, PlatformError> {
        let manager =
            manager(ServiceManagerAccess::CONNECT | ServiceManagerAccess::CREATE_SERVICE)?;
        if let Some(service) = open(&manager, ServiceAccess::QUERY_STATUS | ServiceAccess::STOP)? {
            stop(&service)?;
        }
        let program = program_files::program();
        program_files::place(from, &program)?;
        let service = register(&manager, &program, arguments)?;
        let mut missing = set_extras(&service);
        for mode in SAFE_MODES {
            if let Err(error) = registry::write_text(&safe_mode_key(mode), "", "Service") {
                missing.push(format!("start in safe mode ({mode}): {error}"));
            }
        }
        registry::delete_run_values(&LEGACY_RUN_VALUES);
        Ok(missing)
    }

    fn uninstall(&self) -> Result<bool, PlatformError> {
        let manager = manager(ServiceManagerAccess::CONNECT)?;
        let access = ServiceAccess::QUERY_STATUS | ServiceAccess::STOP | ServiceAccess::DELETE;
        let service = open(&manager, access)?;
        let existed = service.is_some();
        if let Some(service) = service {
            stop(&service)?;
            match service.delete() {
                Err(error) if code(&error) != Some(ERROR_SERVICE_MARKED_FOR_DELETE) => {
                    return Err(failed("DeleteService", error));
                }
                _ => {}
            }
        }
        for mode in SAFE_MODES {
            registry::delete_key(&safe_mode_key(mode)).map_err(|source| PlatformError::Os {
                call: "RegDeleteTree",
                source,
            })?;
        }
        registry::delete_run_values(&LEGACY_RUN_VALUES);
        Ok(program_files::remove()? || existed)
    }

    fn start(&self) -> Result<ServiceStart, PlatformError> {
        let manager = manager(ServiceManagerAccess::CONNECT)?;
        let service = open(&manager, ServiceAccess::QUERY_STATUS | ServiceAccess::START)?
            .ok_or(PlatformError::Gone("the service"))?;
        match service.start::<&OsStr>(&[]) {
            Ok(()) => {}
            Err(error) if code(&error) == Some(ERROR_SERVICE_ALREADY_RUNNING) => {
                return Ok(ServiceStart::RanAlready);
            }
            Err(error) => return Err(failed("StartService", error)),
        }
        match settle(&service, ServiceState::StartPending)? {
            ServiceState::Running => Ok(ServiceStart::Started),
            _ => Err(PlatformError::Os {
                call: "starting the service",
                source: io::Error::other("it ended at once; its log says why"),
            }),
        }
    }

    fn run(&self, body: ServiceBody) -> Result<(), PlatformError> {
        *BODY.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        service_dispatcher::start(NAME, service_entry)
            .map_err(|error| failed("StartServiceCtrlDispatcher", error))
    }
}

fn safe_mode_key(mode: &str) -> String {
    format!(r"SYSTEM\CurrentControlSet\Control\SafeBoot\{mode}\{NAME}")
}

/// Makes the service's entry, or brings the one that is there up to date.
fn register(
    manager: &ServiceManager,
    program: &Path,
    arguments: &[String],
) -> Result<Service, PlatformError> {
    let entry = ServiceInfo {
        name: NAME.into(),
        display_name: DISPLAY_NAME.into(),
        service_type: ServiceType::OWN_PROCESS,
        // Not delayed: a machine that was restarted from afar is waited for.
        start_type: ServiceStartType::AutoStart,
        error_control: ServiceErrorControl::Normal,
        executable_path: program.to_owned(),
        launch_arguments: arguments.iter().map(OsString::from).collect(),
        dependencies: Vec::new(),
        account_name: None,
        account_password: None,
    };
    // START: a service that is to be restarted after a crash may be opened only with it.
    let access = ServiceAccess::CHANGE_CONFIG | ServiceAccess::QUERY_STATUS | ServiceAccess::START;
    let deadline = Instant::now() + PATIENCE;
    loop {
        let made = match open(manager, access)? {
            Some(service) => service.change_config(&entry).map(|()| service),
            None => manager.create_service(&entry, access),
        };
        match made {
            Ok(service) => return Ok(service),
            // One that was deleted goes when the last program that looks at it lets it.
            Err(error)
                if code(&error) == Some(ERROR_SERVICE_MARKED_FOR_DELETE)
                    && Instant::now() < deadline =>
            {
                thread::sleep(LOOK_INTERVAL);
            }
            Err(error) => return Err(failed("CreateService", error)),
        }
    }
}

/// What the service can do without; answers with what could not be set.
fn set_extras(service: &Service) -> Vec<String> {
    let restart = |delay| ServiceAction {
        action_type: ServiceActionType::Restart,
        delay,
    };
    let actions = ServiceFailureActions {
        reset_period: ServiceFailureResetPeriod::After(CRASHES_FORGOTTEN_AFTER),
        reboot_msg: None,
        command: None,
        actions: Some(RESTART_AFTER.map(restart).to_vec()),
    };
    let settings = [
        ("its description", service.set_description(DESCRIPTION)),
        (
            "its restart after a crash",
            service.update_failure_actions(actions),
        ),
        (
            "its restart after an error",
            service.set_failure_actions_on_non_crash_failures(true),
        ),
        (
            "its time to end before a shutdown",
            service.set_preshutdown_timeout(STOP_HINT),
        ),
    ];
    settings
        .into_iter()
        .filter_map(|(what, result)| Some(format!("{what}: {}", reason(result.err()?))))
        .collect()
}

fn manager(access: ServiceManagerAccess) -> Result<ServiceManager, PlatformError> {
    ServiceManager::local_computer(None::<&str>, access)
        .map_err(|error| failed("OpenSCManager", error))
}

fn open(manager: &ServiceManager, access: ServiceAccess) -> Result<Option<Service>, PlatformError> {
    match manager.open_service(NAME, access) {
        Ok(service) => Ok(Some(service)),
        Err(error) if code(&error) == Some(ERROR_SERVICE_DOES_NOT_EXIST) => Ok(None),
        Err(error) => Err(failed("OpenService", error)),
    }
}

fn stop(service: &Service) -> Result<(), PlatformError> {
    // One that is still starting takes no orders yet.
    settle(service, ServiceState::StartPending)?;
    match service.stop() {
        Ok(_) => {}
        Err(error) if code(&error) == Some(ERROR_SERVICE_NOT_ACTIVE) => return Ok(()),
        Err(error) => return Err(failed("ControlService", error)),
    }
    let deadline = Instant::now() + PATIENCE;
    while state(service)? != ServiceState::Stopped {
        if Instant::now() > deadline {
            return Err(PlatformError::Os {
                call: "stopping the service",
                source: io::ErrorKind::TimedOut.into(),
            });
        }
        thread::sleep(LOOK_INTERVAL);
    }
    Ok(())
}

/// Waits while the service is in `passing`; answers with the state after that.
fn settle(service: &Service, passing: ServiceState) -> Result<ServiceState, PlatformError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let state = state(service)?;
        if state != passing || Instant::now() > deadline {
            return Ok(state);
        }
        thread::sleep(LOOK_INTERVAL);
    }
}

fn state(service: &Service) -> Result<ServiceState, PlatformError> {
    service
        .query_status()
        .map(|status| status.current_state)
        .map_err(|error| failed("QueryServiceStatus", error))
}

fn code(error: &windows_service::Error) -> Option<u32> {
    match error {
        windows_service::Error::Winapi(source) => source.raw_os_error().map(i32::cast_unsigned),
        _ => None,
    }
}

fn failed(call: &'static str, error: windows_service::Error) -> PlatformError {
    match error {
        windows_service::Error::Winapi(source)
            if source.raw_os_error().map(i32::cast_unsigned) == Some(ERROR_ACCESS_DENIED) =>
        {
            PlatformError::Denied(call)
        }
        windows_service::Error::Winapi(source) => PlatformError::Os { call, source },
        other => PlatformError::Os {
            call,
            source: io::Error::other(other),
        },
    }
}

fn reason(error: windows_service::Error) -> String {
    match error {
        windows_service::Error::Winapi(source) => source.to_string(),
        other => other.to_string(),
    }
}

/// Windows starts the service in a function that takes nothing of ours.
static BODY: Mutex<Option<ServiceBody>> = Mutex::new(None);

define_windows_service!(service_entry, serve);

/// Windows calls this on a thread of its own, on which the agent lives. Another one is there
/// only while the service stops.
fn serve(_arguments: Vec<OsString>) {
    let Some(body) = BODY.lock().unwrap_or_else(PoisonError::into_inner).take() else {
        return;
    };
    let events = ServiceEvents::default();
    let desk = Arc::new(Desk {
        events: events.clone(),
        status: OnceLock::new(),
        phase: Mutex::new(Phase::Runs),
    });
    let called = Arc::clone(&desk);
    let handler = move |control| called.handle(&control);
    let Ok(handle) = service_control_handler::register(NAME, handler) else {
        return;
    };
    let status = *desk.status.get_or_init(|| Status { handle });
    status.say(ServiceState::StartPending, 1);
    status.say(ServiceState::Running, 0);
    let result = body(events);
    desk.end_of_stopping();
    status.stopped(&result);
}

/// Where the control manager's orders come in.
struct Desk {
    events: ServiceEvents,
    /// From the registration of the handler on.
    status: OnceLock<Status>,
    phase: Mutex<Phase>,
}

enum Phase {
    Runs,
    /// A thread says so, until the sender is dropped.
    Stops(mpsc::Sender<()>, Option<JoinHandle<()>>),
    HasStopped,
}

impl Desk {
    fn handle(&self, control: &Control) -> ServiceControlHandlerResult {
        match control {
            Control::Stop | Control::Shutdown | Control::Preshutdown => {
                self.begin_stopping();
                self.events.tell(ServiceEvent::Stop);
            }
            Control::SessionChange(_) => self.events.tell(ServiceEvent::SessionChanged),
            Control::Interrogate => {}
            _ => return ServiceControlHandlerResult::NotImplemented,
        }
        ServiceControlHandlerResult::NoError
    }

    fn begin_stopping(&self) {
        let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        let (Phase::Runs, Some(&status)) = (&*phase, self.status.get()) else {
            return;
        };
        status.say(ServiceState::StopPending, 1);
        let (is_over, over) = mpsc::channel();
        let thread = thread::Builder::new().name("stopping".to_owned());
        // Without it the control manager is patient for as long as it was told once.
        let thread = thread.spawn(move || say_that_it_stops(&over, status));
        *phase = Phase::Stops(is_over, thread.ok());
    }

    /// Nobody says that the service stops when it has.
    fn end_of_stopping(&self) {
        let mut phase = self.phase.lock().unwrap_or_else(PoisonError::into_inner);
        if let Phase::Stops(is_over, thread) = std::mem::replace(&mut *phase, Phase::HasStopped) {
            drop(is_over);
            if let Some(thread) = thread {
                let _bug_was_printed = thread.join();
            }
        }
    }
}

fn say_that_it_stops(over: &Receiver<()>, status: Status) {
    let mut checkpoint = 1;
    while over.recv_timeout(CHECKPOINT_INTERVAL) == Err(RecvTimeoutError::Timeout) {
        checkpoint += 1;
        status.say(ServiceState::StopPending, checkpoint);
    }
}

#[derive(Clone, Copy)]
struct Status {
    handle: ServiceStatusHandle,
}

impl Status {
    fn say(self, state: ServiceState, checkpoint: u32) {
        self.tell(state, checkpoint, ServiceExitCode::Win32(0));
    }

    /// An error is an exit code of ours, so that Windows starts the service again.
    fn stopped(self, result: &Result<(), String>) {
        let code = match result {
            Ok(()) => ServiceExitCode::Win32(0),
            Err(_) => ServiceExitCode::ServiceSpecific(1),
        };
        self.tell(ServiceState::Stopped, 0, code);
    }

    fn tell(self, state: ServiceState, checkpoint: u32, exit_code: ServiceExitCode) {
        let controls_accepted = if state == ServiceState::Running {
            ServiceControlAccept::STOP
                | ServiceControlAccept::SHUTDOWN
                | ServiceControlAccept::PRESHUTDOWN
                | ServiceControlAccept::SESSION_CHANGE
        } else {
            ServiceControlAccept::empty()
        };
        let is_passing = matches!(
            state,
            ServiceState::StartPending | ServiceState::StopPending
        );
        let status = ServiceStatus {
            service_type: ServiceType::OWN_PROCESS,
            current_state: state,
            controls_accepted,
            exit_code,
            checkpoint,
            wait_hint: if is_passing {
                STOP_HINT
            } else {
                Duration::ZERO
            },
            process_id: None,
        };
        // The control manager is gone only when Windows is.
        let _nobody_asks = self.handle.set_service_status(status);
    }
}

//! `guruconnect-agent`.

use std::process::ExitCode;

use clap::Parser as _;
use gc_agent::cli::{Command, Options};
use gc_agent::{help, platform, service, worker};

fn main() -> ExitCode {
    platform::load_libraries_of_the_system_only();
    match act(Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("guruconnect-agent: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn act(options: Options) -> anyhow::Result<()> {
    match &options.command {
        Some(Command::Install) => service::install(&options),
        Some(Command::Uninstall { keep_data }) => service::uninstall(&options, *keep_data),
        Some(Command::Start) => service::start(),
        Some(Command::RequestSupport(wanted)) => help::run(&options, wanted),
        Some(Command::Tray) => help::run_tray(&options),
        Some(Command::ServiceRun) => service::serve(options),
        Some(Command::FilmProbe { software }) => {
            gc_agent::film_probe(*software);
            Ok(())
        }
        Some(Command::Worker { pipe }) => worker::run(&options, pipe),
        None => match &options.test_capture {
            Some(path) => gc_agent::test_capture(path),
            None if gc_agent::attended::is_wanted(&options) => gc_agent::attended::run(&options),
            None if options.is_bare() && service::start_if_managed(&options)? => Ok(()),
            None => gc_agent::run(&options),
        },
    }
}

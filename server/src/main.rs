//! `guruconnect-server`: the command line around the library.

use std::process::ExitCode;

use clap::Parser as _;
use guruconnect_server::{Arguments, Command, Settings, logging, openapi_json, run};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(Command::Openapi) = arguments.command {
        println!("{}", openapi_json());
        return ExitCode::SUCCESS;
    }
    match start(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The log may not be there yet, or may go somewhere else.
            eprintln!("guruconnect-server: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(arguments: Arguments) -> anyhow::Result<()> {
    let settings = Settings::try_from(arguments)?;
    logging::start(&settings.log_level, settings.log_format)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(run(settings))
}

//! Both ends of the pipe over which users ask the agent for help.

use std::io;

use gc_platform_windows::{HelpPipe, open_help_pipe};

/// Has the pipe, and lets in who comes, until this program is ended.
pub(crate) fn hold(name: &str) -> Result<(), String> {
    in_a_runtime(async {
        let mut pipe = HelpPipe::open(name)?;
        loop {
            let (_visitor, user) = pipe.accept().await?;
            println!("{user}");
        }
    })
}

/// Opens the pipe, if it is the agent's.
pub(crate) fn knock(name: &str) -> Result<(), String> {
    in_a_runtime(async { open_help_pipe(name).await.map(drop) })?;
    println!("the agent");
    Ok(())
}

fn in_a_runtime(work: impl Future<Output = io::Result<()>>) -> Result<(), String> {
    tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .and_then(|runtime| runtime.block_on(work))
        .map_err(|error| error.to_string())
}

//! The server from outside: real sockets on loopback, real databases. One
//! program, so that it is linked once.

mod audit;
mod auth;
mod common;
mod events;
mod headers;
mod machine_requests;
mod machines;
mod notices;
mod openapi;
mod origins;
mod portal;
mod power;
mod relay;
mod restart;
mod routes;
mod sessions;
mod setup;
mod support;
mod tls;
mod users;

//! `POST /api/users`.

use axum::extract::State;
use axum::http::StatusCode;
use gc_model::id::UserId;
use gc_model::role::Permission;
use gc_store::{Account, Action, CreateUserError, NewUser, User};
use serde::Deserialize;
use utoipa::ToSchema;
use zeroize::Zeroizing;

use super::{AccountBody, entry, role};
use crate::api::auth::{display_name, username};
use crate::app::Shared;
use crate::auth::password_rule;
use crate::auth::user::CurrentUser;
use crate::chance::new_id;
use crate::http::bodies::Json;
use crate::http::client::Client;
use crate::http::error::{ApiError, ErrorBody};

/// People of one server. Every one is shown in a list without pages.
const MAX_USERS: usize = 1_000;

#[derive(Deserialize, ToSchema)]
pub(crate) struct CreateUserRequest {
    /// 1 to 64 letters, digits, dots, dashes, underscores, + or @.
    #[schema(example = "grace")]
    username: String,
    #[schema(example = "Grace Hopper")]
    display_name: String,
    /// `technician`, `senior_technician` or `admin`.
    #[schema(example = "technician")]
    role: String,
    /// For the first sign-in; at least 12 characters.
    #[schema(value_type = String)]
    password: Zeroizing<String>,
}

/// Add somebody who can sign in.
#[utoipa::path(post, path = "/api/users", tag = "users",
    security(("access_token" = [])), request_body = CreateUserRequest,
    responses(
        (status = 201, body = AccountBody),
        (status = 401, body = ErrorBody),
        (status = 403, body = ErrorBody),
        (status = 409, description = "`name_taken`, `too_many_users`", body = ErrorBody),
        (status = 422, description = "`weak_password`, `invalid`", body = ErrorBody)))]
pub(crate) async fn create_user(
    State(app): State<Shared>,
    client: Client,
    current: CurrentUser,
    Json(request): Json<CreateUserRequest>,
) -> Result<(StatusCode, Json<AccountBody>), ApiError> {
    current.require(Permission::ManageUsers)?;
    let username = username(&request.username)?;
    let display_name = display_name(&request.display_name)?;
    let role = role(&request.role)?;
    password_rule::check(&request.password, &username)
        .map_err(|why| ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "weak_password", why))?;
    if app.store.accounts().await?.len() >= MAX_USERS {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "too_many_users",
            "This server has as many people as it takes.",
        ));
    }
    let password_hash = app
        .passwords
        .hash(request.password)
        .await
        .map_err(|_| ApiError::busy())?;

    let account = Account {
        user: User {
            id: UserId::parse(&new_id()).expect("ids that are made here can be read"),
            username,
            display_name,
            role,
            created_at: app.clock.now(),
        },
        disabled_at: None,
    };
    let user = &account.user;
    let new_user = NewUser {
        id: user.id.clone(),
        username: user.username.clone(),
        display_name: user.display_name.clone(),
        role,
        password_hash,
        created_at: user.created_at,
    };
    let detail = serde_json::json!({ "role": role.as_str() });
    let entry = entry(
        &app,
        &current,
        client,
        Action::UserCreated,
        detail,
        &account,
    );
    match app.store.create_user(new_user, entry).await {
        Ok(user) => {
            tracing::info!(user = %user.id, role = role.as_str(), "Person added");
            Ok((StatusCode::CREATED, Json(AccountBody::from(account))))
        }
        Err(CreateUserError::NameTaken(_)) => Err(ApiError::new(
            StatusCode::CONFLICT,
            "name_taken",
            "Somebody has this user name already.",
        )),
        Err(CreateUserError::Store(error)) => Err(error.into()),
    }
}

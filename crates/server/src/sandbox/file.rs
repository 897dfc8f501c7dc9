//! `sandbox.json`: what a script needs to know of this sandbox.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};
use spotpay_core::partner::KeyKind;

use super::error::ApiError;
use crate::app::App;
use crate::{seed, shelf};

/// `GET /sandbox.json`.
pub(super) async fn show(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    Ok(Json(content(&app)?))
}

fn content(app: &App) -> Result<Value, ApiError> {
    let snapshot = app.snapshot.load();
    let gateway_key = app.gateway_key.public_key().to_spki_base64();
    let mut partners = Vec::new();
    for entry in seed::PARTNERS
        .iter()
        .filter_map(|seed| snapshot.partner_named(seed.name))
    {
        let partner = &entry.partner;
        let md5 = partner
            .keys
            .iter()
            .rev()
            .find(|key| key.kind == KeyKind::Md5);
        let mut shown = json!({
            "name": partner.name,
            "product": partner.contract.product.as_str(),
            "partner_id": partner.id.to_string(),
            "settlement_currency": partner.contract.settlement_currency.code(),
            "md5_key": md5.map(|key| &*key.text),
            "rsa_private_key": seed::private_key_of(partner),
            "gateway_rsa_public_key": gateway_key,
        });
        if let (Some(address), Some(shown)) = (app.sftp(), shown.as_object_mut()) {
            let sftp = json!({
                "host": address.ip().to_string(),
                "port": address.port(),
                "user": partner.id.to_string(),
                "password": shelf::sandbox_password(partner),
            });
            shown.insert("sftp".to_owned(), sftp);
        }
        partners.push(shown);
    }
    let mut wallets = Vec::new();
    for name in seed::wallet_names() {
        if let Some(wallet) = app.readers.read(|reader| reader.wallet_named(name))? {
            wallets.push(json!({
                "name": wallet.name,
                "wallet_id": wallet.id.to_string(),
                "payment_inst": wallet.inst.as_str(),
                "currency": wallet.balance.currency().code(),
                "balance": wallet.balance.major(),
            }));
        }
    }
    let origin = app.origin();
    Ok(json!({
        "gateway_url": format!("{origin}/gateway.do"),
        "sandbox_url": format!("{origin}/sandbox/v1"),
        "partners": partners,
        "wallets": wallets,
    }))
}

/// Writes `DIR/sandbox.json`, whole or not at all.
///
/// # Errors
/// The file cannot be written.
pub fn write(app: &App) -> std::io::Result<()> {
    let content = content(app).map_err(|_| std::io::Error::other("the store could not be read"))?;
    let text = serde_json::to_string_pretty(&content)? + "\n";
    let (path, draft) = (
        app.data.join("sandbox.json"),
        app.data.join("sandbox.json.new"),
    );
    std::fs::write(&draft, text)?;
    std::fs::rename(draft, path)
}

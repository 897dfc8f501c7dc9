//! The keys that signatures are looked at with: what the flags name, and what a sandbox knows.

use spotpay_client::{PartnerId, SignType, Verifier};
use spotpay_wire::autopsy::{Key, KeyRing, OtherKey, Owner};
use spotpay_wire::keys::{PrivateKey, PublicKey};
use spotpay_wire::signature::Md5Key;

use super::{Merchant, Sign, key_text};
use crate::machine;
use crate::output::Failure;
use crate::sandbox_file::{Partner, SandboxFile};

/// The keys of whoever signed, and those that may have been used by mistake.
#[derive(Default)]
pub(crate) struct Keys {
    md5: Vec<Md5Key>,
    rsa: Vec<PublicKey>,
    others: Vec<OtherKey>,
    md5_text: Option<String>,
    rsa_text: Option<String>,
}

impl Keys {
    pub(crate) fn ring(&self) -> KeyRing<'_> {
        KeyRing {
            md5: &self.md5,
            rsa: &self.rsa,
            others: &self.others,
            md5_key_text: self.md5_text.as_deref(),
            rsa_key_text: self.rsa_text.as_deref(),
        }
    }

    /// What verifies with them.
    pub(crate) fn verifiers(&self) -> Vec<Verifier> {
        let md5 = self.md5.iter().cloned().map(Verifier::Md5);
        let rsa = self.rsa.iter().cloned();
        let rsa = rsa.flat_map(|key| [Verifier::Rsa(key.clone()), Verifier::Rsa2(key)]);
        md5.chain(rsa).collect()
    }

    fn add_other(&mut self, name: &str, owner: Owner, partner: &Partner) {
        let md5 = partner.md5_key.as_ref();
        let md5 = md5.and_then(|key| key.parse().ok()).map(Key::Md5);
        let rsa = partner.rsa_private_key.as_deref();
        let rsa = rsa.and_then(public_half).map(Key::Rsa);
        for key in md5.into_iter().chain(rsa) {
            self.others.push(OtherKey {
                name: name.to_owned(),
                owner,
                key,
            });
        }
    }

    fn add_other_side(&mut self, name: &str, key: Option<PublicKey>) {
        self.others.extend(key.map(|key| OtherKey {
            name: name.to_owned(),
            owner: Owner::OtherSide,
            key: Key::Rsa(key),
        }));
    }
}

/// Of a key of either half, as it stands in a file.
fn public_half(text: &str) -> Option<PublicKey> {
    let private = text.parse::<PrivateKey>();
    let public = private.map(|key| key.public_key().clone());
    public.or_else(|_| text.parse()).ok()
}

impl Merchant {
    /// What notifications are signed with, and whose they are. `--gateway-key` or `--md5-key-env`
    /// with a partner's id say everything.
    pub(crate) fn gateway_keys(&self) -> Result<(PartnerId, Keys), Failure> {
        let named = self.gateway_key.is_some() || self.md5_key_env.is_some();
        let partner = match self.partner.parse::<PartnerId>() {
            Ok(id) if named => Partner {
                partner_id: id.to_string(),
                ..Partner::default()
            },
            Ok(_) | Err(_) => self.sandbox_file()?.0.partner(&self.partner)?.clone(),
        };
        let id = partner.partner_id.parse().map_err(|_| {
            let rule = "a partner id has 16 digits and begins with 2088";
            Failure::usage("--partner <NAME|ID>", &partner.partner_id, rule)
        })?;
        let mut keys = Keys::default();
        let wants = |sign_type: SignType| self.sign.is_none_or(|sign| sign.is(sign_type));
        if wants(SignType::Md5) && (self.md5_key_env.is_some() || partner.md5_key.is_some()) {
            let key = self.md5_key(&partner)?;
            keys.md5.push(self.parsed_md5(&key)?);
        }
        let theirs = self.gateway_key.is_some() || partner.gateway_rsa_public_key.is_some();
        if theirs && (wants(SignType::Rsa) || wants(SignType::Rsa2)) {
            let flag = "--gateway-key <FILE>";
            let file = self.gateway_key.as_deref();
            let text = key_text(flag, file, &partner.gateway_rsa_public_key)?;
            let value = file.map_or("sandbox.json".to_owned(), |path| path.display().to_string());
            let key = text.parse();
            keys.rsa
                .push(key.map_err(|error: spotpay_wire::keys::KeyError| {
                    Failure::usage(flag, &value, &error.to_string())
                })?);
        }
        if keys.md5.is_empty() && keys.rsa.is_empty() {
            let message = "there is no key to verify with; give --gateway-key or --md5-key-env";
            return Err(Failure::missing(message));
        }
        let own = partner.rsa_private_key.as_deref().and_then(public_half);
        keys.add_other_side("the merchant's own key", own);
        Ok((id, keys))
    }

    fn parsed_md5(&self, text: &str) -> Result<Md5Key, Failure> {
        text.trim().parse().map_err(|error| {
            let variable = self.md5_key_env.as_deref().unwrap_or("sandbox.json");
            let rule = format!("the MD5 key: {error}");
            Failure::usage("--md5-key-env <VAR>", variable, &rule)
        })
    }

    /// What the requests of a partner are signed with: by the flags, or by a sandbox that knows the
    /// partner that the request names. A key that is none is kept as text: that may be the mistake.
    pub(crate) fn request_keys(&self, named: Option<&str>) -> Result<Keys, Failure> {
        let mut keys = Keys::default();
        if let Some(variable) = &self.md5_key_env {
            let text = machine::variable(variable).ok_or_else(|| {
                let rule = "there is no such variable";
                Failure::usage("--md5-key-env <VAR>", variable, rule)
            })?;
            keys.md5.extend(text.trim().parse::<Md5Key>().ok());
            keys.md5_text = Some(text);
        }
        if let Some(file) = &self.key {
            let text = key_text("--key <FILE>", Some(file), &None)?;
            keys.rsa.extend(public_half(&text));
            keys.rsa_text = Some(text);
        }
        if let Some(file) = &self.gateway_key {
            let text = key_text("--gateway-key <FILE>", Some(file), &None)?;
            keys.add_other_side("the gateway's key", text.parse().ok());
        }
        let given = keys.md5_text.is_some() || keys.rsa_text.is_some();
        // The flags are enough; a sandbox would only know more mistakes, and one elsewhere, which
        // may be none, is not asked for them.
        if given && self.gateway.is_some() {
            return Ok(keys);
        }
        match self.sandbox_file() {
            Ok((file, _)) => self.add_sandbox(&mut keys, &file, named)?,
            Err(_) if given => {}
            Err(failure) => return Err(failure),
        }
        Ok(keys)
    }

    fn add_sandbox(
        &self,
        keys: &mut Keys,
        file: &SandboxFile,
        named: Option<&str>,
    ) -> Result<(), Failure> {
        let named = named.and_then(|id| file.partners.iter().find(|it| it.partner_id == id));
        let given = keys.md5_text.is_some() || keys.rsa_text.is_some();
        let caller = match named {
            Some(partner) => Some(partner),
            None if given => None,
            None => Some(file.partner(&self.partner)?),
        };
        for partner in &file.partners {
            let is_caller = caller.is_some_and(|caller| caller.partner_id == partner.partner_id);
            if is_caller && !given {
                let md5 = partner.md5_key.as_deref();
                keys.md5
                    .extend(md5.and_then(|key| key.parse::<Md5Key>().ok()));
                let rsa = partner.rsa_private_key.as_deref();
                keys.rsa.extend(rsa.and_then(public_half));
            } else {
                let name = format!("{} ({})", partner.name, partner.partner_id);
                let owner = if is_caller {
                    Owner::NotInForce
                } else {
                    Owner::OtherPartner
                };
                keys.add_other(&name, owner, partner);
            }
        }
        let gateway = caller.and_then(|caller| caller.gateway_rsa_public_key.as_deref());
        keys.add_other_side(
            "the gateway's key",
            gateway.and_then(|key| key.parse().ok()),
        );
        Ok(())
    }
}

impl Sign {
    fn is(self, sign_type: SignType) -> bool {
        match self {
            Self::Md5 => sign_type == SignType::Md5,
            Self::Rsa => sign_type == SignType::Rsa,
            Self::Rsa2 => sign_type == SignType::Rsa2,
        }
    }
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;

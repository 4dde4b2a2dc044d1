//! Authorities, certificates, and a server that has them.

use super::cluster::Cluster;
use super::server::{self, User};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer, DnType,
    ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, PKCS_ECDSA_P256_SHA256,
    RevokedCertParams, SerialNumber, SignatureAlgorithm, date_time_ymd,
};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// One who issues certificates.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key, in PEM.
#[derive(Clone)]
pub struct Certified {
    pub certificate: String,
    pub key: String,
}

impl Authority {
    /// A new one.
    pub fn new(name: &str) -> Self {
        Self::signing_with(name, &PKCS_ECDSA_P256_SHA256)
    }

    /// A new one that signs in this way.
    pub fn signing_with(name: &str, algorithm: &'static SignatureAlgorithm) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let key = KeyPair::generate_for(algorithm).unwrap();
        Self { issuer: CertifiedIssuer::self_signed(params, key).unwrap() }
    }

    /// Its own certificate, in PEM.
    pub fn certificate(&self) -> String {
        self.issuer.pem()
    }

    /// A certificate for a server of these names.
    pub fn server(&self, names: &[&str]) -> Certified {
        self.issue(&server_params(names))
    }

    /// A certificate for a server whose time is over.
    pub fn expired(&self, names: &[&str]) -> Certified {
        let mut params = server_params(names);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(2021, 1, 1);
        self.issue(&params)
    }

    /// A certificate for a client that is called `user` in the database.
    pub fn client(&self, user: &str) -> Certified {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, user);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(&params)
    }

    /// A list, in PEM, that revokes the certificates of these servers.
    pub fn revocations(&self, numbers: &[u64]) -> String {
        let revoked = numbers.iter().map(|number| RevokedCertParams {
            serial_number: SerialNumber::from(*number),
            revocation_time: date_time_ymd(2024, 1, 1),
            reason_code: None,
            invalidity_date: None,
        });
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2024, 1, 1),
            next_update: date_time_ymd(4000, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: rcgen::KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().pem().unwrap()
    }

    /// The number of every server's certificate.
    pub const SERVER_NUMBER: u64 = 4711;

    fn issue(&self, params: &CertificateParams) -> Certified {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Certified { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

/// A server's certificate that it signed itself, as `openssl req -x509` makes it: also one of an
/// authority.
pub fn self_signed(names: &[&str]) -> Certified {
    let mut params = server_params(names);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Certified { certificate: certificate.pem(), key: key.serialize_pem() }
}

fn server_params(names: &[&str]) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, "db.example.test");
    params.serial_number = Some(SerialNumber::from(Authority::SERVER_NUMBER));
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

/// What the settings of a server with TLS are besides its certificate.
const SETTINGS: &str = "
ssl = on
ssl_ca_file = 'clients.crt'
log_connections = on
";

/// Roles that can come in only one way.
const ROLES: &str = "
hostssl all certified all cert
hostssl all plainly all reject
hostnossl all secretly all reject
";

/// Has a cluster, which must be the test's own, speak TLS with this certificate, and take client
/// certificates of `clients`. It is started again.
pub fn serve(cluster: &Cluster, shown: &Certified, clients: &Authority) {
    let data = cluster.folder().join("data");
    for (name, content) in [
        ("server.crt", &shown.certificate),
        ("server.key", &shown.key),
        ("clients.crt", &clients.certificate()),
    ] {
        let path = data.join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        server::give(&path, User::unprivileged());
    }
    put_once(&data.join("postgresql.conf"), SETTINGS);
    put_once(&data.join("pg_hba.conf"), ROLES);
    cluster.restart();
}

/// The first line that fits counts in one of the two files, and in the other the order is all one.
fn put_once(path: &Path, lines: &str) {
    let text = fs::read_to_string(path).unwrap();
    if !text.starts_with(lines) {
        fs::write(path, format!("{lines}{text}")).unwrap();
    }
}

/// Writes a file that goes away with the cluster, of mode 600, and returns its path.
pub fn file(cluster: &Cluster, name: &str, content: &str) -> PathBuf {
    let folder = cluster.folder().join("client");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    path
}

/// Has a cluster, which must be the test's own, speak no TLS. It is started again.
pub fn serve_none(cluster: &Cluster) {
    let path = cluster.folder().join("data/postgresql.conf");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace(SETTINGS, "")).unwrap();
    cluster.restart();
}

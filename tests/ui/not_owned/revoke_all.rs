use sessile::{Session, SessionError, Sessions};

#[derive(Session)]
struct Cart {
    items: Vec<u32>,
}

async fn sign_out_everywhere(all: Sessions) -> Result<(), SessionError> {
    all.revoke_all::<Cart>(&7).await?;
    Ok(())
}

fn main() {
    let _ = sign_out_everywhere;
}

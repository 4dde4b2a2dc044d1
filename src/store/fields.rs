//! Several columns of an entity.

use crate::mapping::field::Field;

/// One or more columns of the entity `E`: a [`Field`], or a tuple of up to eight.
pub trait Fields<E> {
    /// The places of the columns in [`Entity::columns`](crate::Entity::columns).
    fn indexes(&self) -> Vec<usize>;
}

impl<E, T, R> Fields<E> for Field<E, T, R> {
    fn indexes(&self) -> Vec<usize> {
        vec![self.index()]
    }
}

macro_rules! tuple_of_fields {
    ($($name:ident),+) => {
        impl<E, $($name: Fields<E>),+> Fields<E> for ($($name,)+) {
            fn indexes(&self) -> Vec<usize> {
                #[expect(non_snake_case, reason = "a type and its value have one name here")]
                let ($($name,)+) = self;
                let mut all = Vec::new();
                $(all.extend($name.indexes());)+
                all
            }
        }
    };
}

tuple_of_fields!(A);
tuple_of_fields!(A, B);
tuple_of_fields!(A, B, C);
tuple_of_fields!(A, B, C, D);
tuple_of_fields!(A, B, C, D, F);
tuple_of_fields!(A, B, C, D, F, G);
tuple_of_fields!(A, B, C, D, F, G, H);
tuple_of_fields!(A, B, C, D, F, G, H, I);

"""SQLAlchemy's horizontal sharding, for `scatter`: the same rows, shards and questions.

Each is written as its documentation shows it: a session for each piece of work, whose query goes to one
shard after the other. What comes back is one list; putting it in order, cutting it and adding it up is
left to the caller. It prints `figures P50 P95 PROCESSOR answer ANSWER`.
"""

import sys
import time

from sqlalchemy import BigInteger, Text, create_engine, func, insert, select, text
from sqlalchemy.ext.horizontal_shard import ShardedSession
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

CUSTOMERS = 30_000
BOUNDS = (10_000, 20_000)
LOADED = 9_000
LIMIT = 100
PRIME = (1 << 61) - 1
SHARDS = ("a", "b", "c")


class Base(DeclarativeBase):
    pass


class Columns:
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    customer: Mapped[int] = mapped_column(BigInteger)
    country: Mapped[str] = mapped_column(Text)
    cents: Mapped[int] = mapped_column(BigInteger)
    weight: Mapped[int] = mapped_column(BigInteger)


class Sale(Columns, Base):
    __tablename__ = "sale"


class Loaded(Columns, Base):
    __tablename__ = "loaded"


def row(number):
    return {
        "id": number,
        "customer": number * 7_919 % CUSTOMERS,
        "country": f"country {number * 31 % 40:02}",
        "cents": number * 48_271 % 1_000_003,
        "weight": number * 69_621 % 1_000_033,
    }


def shard_of(customer):
    return SHARDS[sum(customer >= bound for bound in BOUNDS)]


def folded(numbers):
    total = 7
    for number in numbers:
        total = (total * 31 + number) % PRIME
    return str(total)


def count(session, core, rows):
    return str(sum(session.execute(select(func.count()).select_from(Sale)).scalars()))


def first(by):
    def run(session, core, rows):
        wanted = (by.desc(), Sale.id)
        if core:
            columns = (Sale.id, Sale.customer, Sale.country, Sale.cents, Sale.weight)
            found = session.execute(select(*columns).order_by(*wanted).limit(LIMIT)).all()
        else:
            found = session.scalars(select(Sale).order_by(*wanted).limit(LIMIT)).all()
        found = sorted(found, key=lambda sale: (-getattr(sale, by.key), sale.id))
        return folded(sale.id for sale in found[:LIMIT])

    return run


def groups(session, core, rows):
    columns = (Sale.country, func.count(), func.sum(Sale.cents), func.max(Sale.weight))
    found = {}
    for country, number, cents, most in session.execute(select(*columns).group_by(Sale.country)):
        before = found.get(country, (0, 0, most))
        found[country] = (before[0] + number, before[1] + int(cents), max(before[2], most))
    numbers = ((int(country[8:]), *found[country]) for country in sorted(found))
    return folded(number for group in numbers for number in group)


def load(session, core, rows):
    if core:
        parts = {}
        for values in rows:
            parts.setdefault(shard_of(values["customer"]), []).append(values)
        for shard, part in parts.items():
            connection = session.connection(bind_arguments={"shard_id": shard})
            connection.execute(insert(Loaded.__table__), part)
    else:
        # Where rows of one shard follow each other, the unit of work sends them together.
        rows = sorted(rows, key=lambda values: shard_of(values["customer"]))
        session.add_all([Loaded(**values) for values in rows])
    session.commit()
    return str(len(rows))


SCENARIOS = {
    "count": count,
    "top": first(Sale.cents),
    "sorted": first(Sale.weight),
    "groups": groups,
    "load": load,
}


def sessions(urls):
    urls = [url.replace("postgresql://", "postgresql+psycopg://") for url in urls]
    engines = dict(zip(SHARDS, map(create_engine, urls)))
    made = sessionmaker(
        class_=ShardedSession,
        shards=engines,
        shard_chooser=lambda mapper, instance, clause=None: shard_of(instance.customer),
        identity_chooser=lambda mapper, key, **_: SHARDS,
        execute_chooser=lambda context: SHARDS,
    )
    return engines, made


def main(contender, scenario, seconds, *urls):
    engines, made = sessions(urls)
    core = contender.endswith("core")

    def prepare():
        if scenario != "load":
            return None
        for engine in engines.values():
            with engine.begin() as connection:
                connection.execute(text("truncate loaded"))
        return [row(number) for number in range(LOADED)]

    def work(rows):
        with made() as session:
            return SCENARIOS[scenario](session, core, rows)

    answer = work(prepare())
    end = time.monotonic() + float(seconds)
    times, processor = [], 0.0
    while time.monotonic() < end or len(times) < 3:
        rows = prepare()
        start, before = time.perf_counter(), time.process_time()
        said = work(rows)
        times.append((time.perf_counter() - start) * 1e3)
        processor += time.process_time() - before
        assert said == answer, "it said something else before"
    times.sort()
    p50, p95 = (times[int((len(times) - 1) * share)] for share in (0.5, 0.95))
    print(f"figures {p50} {p95} {processor * 1e3 / len(times)} answer {answer}")


main(*sys.argv[2:])

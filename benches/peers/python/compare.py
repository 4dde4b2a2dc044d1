"""The contenders in Python: `compare` starts one for each piece of work.

Each is written as its documentation shows it, reads the same table or file, and prints one line:
`answer SECONDS RATE P50 P99 CLIENT ROWS SUM`. The sum is that of `LineItem::sum` in `line_item.rs`;
it costs Python more than reading does, so what is read is summed in a pass before the timed one;
with a last word `summed` it was summed in a turn before, and is only counted.
"""

import asyncio
import csv
import sys
import time
from datetime import date
from decimal import Decimal
from urllib.parse import urlsplit

COLUMNS = (
    "l_orderkey l_partkey l_suppkey l_linenumber l_quantity l_extendedprice l_discount l_tax "
    "l_returnflag l_linestatus l_shipdate l_commitdate l_receiptdate l_shipinstruct l_shipmode "
    "l_comment"
).split()
NAMES = ", ".join(COLUMNS)
BATCH_ROWS = 2_000
EPOCH = date(1970, 1, 1).toordinal()
MASK = (1 << 64) - 1


def days(day):
    return day.toordinal() - EPOCH


def text(value):
    value = value.rstrip()
    return (ord(value[0]) * 31 + ord(value[-1]) if value else 0) + len(value)


def row_sum(row):
    cents = [int(amount * 100) for amount in row[4:8]]
    numbers = row[0] + row[1] * 3 + row[2] * 5 + row[3] * 7
    amounts = cents[0] + cents[1] * 3 + cents[2] * 5 + cents[3] * 7
    dates = days(row[10]) + days(row[11]) * 3 + days(row[12]) * 5
    texts = (
        text(row[8]) + text(row[9]) * 3 + text(row[13]) * 5 + text(row[14]) * 7 + text(row[15]) * 11
    )
    return numbers + amounts * 13 + dates * 17 + texts * 19


class Total:
    """What was read, summed."""

    def __init__(self):
        self.rows = self.sum = 0

    def add(self, row):
        self.rows += 1
        self.sum += row_sum(row)

    def add_arrow(self, batch):
        columns = [batch.column(name).to_pylist() for name in COLUMNS]
        for row in zip(*columns):
            row = list(row)
            # Some hand numbers of any precision over as text or as binary floating point.
            row[4:8] = [Decimal(str(amount)).quantize(Decimal("0.01")) for amount in row[4:8]]
            row[10:13] = [getattr(day, "date", lambda day=day: day)() for day in row[10:13]]
            self.add(row)


class Count(Total):
    """What was read, counted: all its columns are Python's values, or Arrow's."""

    def add(self, row):
        self.rows += 1

    def add_arrow(self, batch):
        self.rows += batch.num_rows


def typed_rows(path):
    with open(path, newline="") as file:
        for record in list_rows(file):
            yield tuple(
                [int(value) for value in record[:4]]
                + [Decimal(value) for value in record[4:8]]
                + record[8:10]
                + [date.fromisoformat(value) for value in record[10:13]]
                + record[13:]
            )


def list_rows(file):
    reader = csv.reader(file)
    next(reader)
    return reader


def batches(path):
    batch = []
    for row in typed_rows(path):
        batch.append(row)
        if len(batch) == BATCH_ROWS:
            yield batch
            batch = []
    if batch:
        yield batch


# psycopg, asyncpg


def psycopg_copy(task):
    import psycopg

    with psycopg.connect(task.url) as connection, open(task.file, "rb") as file:
        sql = f"copy lineitem ({NAMES}) from stdin (format csv, header)"
        with connection.cursor().copy(sql) as copy:
            while piece := file.read(1 << 18):
                copy.write(piece)


def psycopg_read(task, total):
    import psycopg

    with psycopg.connect(task.url) as connection:
        with connection.cursor("rows", binary=True) as cursor:
            cursor.itersize = 10_000
            cursor.execute(f"select {NAMES} from lineitem")
            for row in cursor:
                total.add(row)


def asyncpg_copy(task):
    import asyncpg

    async def load():
        connection = await asyncpg.connect(task.url)
        await connection.copy_to_table(
            "lineitem", source=task.file, columns=COLUMNS, format="csv", header=True
        )
        await connection.close()

    asyncio.run(load())


def asyncpg_read(task, total):
    import asyncpg

    async def read():
        connection = await asyncpg.connect(task.url)
        async with connection.transaction():
            async for row in connection.cursor(f"select {NAMES} from lineitem", prefetch=10_000):
                total.add(tuple(row))
        await connection.close()

    asyncio.run(read())


# Arrow: ADBC, ConnectorX


def adbc_ingest(task):
    import adbc_driver_postgresql.dbapi as dbapi
    import pyarrow as arrow
    from pyarrow import csv as arrow_csv

    types = dict.fromkeys(COLUMNS[:3], arrow.int64())
    types["l_linenumber"] = arrow.int32()
    types |= dict.fromkeys(COLUMNS[4:8], arrow.decimal128(15, 2))
    types |= dict.fromkeys(COLUMNS[10:13], arrow.date32())
    types |= dict.fromkeys(COLUMNS[8:10] + COLUMNS[13:], arrow.string())
    options = arrow_csv.ConvertOptions(column_types=types)
    with dbapi.connect(task.url) as connection, connection.cursor() as cursor:
        reader = arrow_csv.open_csv(task.file, convert_options=options)
        cursor.adbc_ingest("lineitem", reader, mode="append")
        connection.commit()


def adbc_read(task, total):
    import adbc_driver_postgresql.dbapi as dbapi

    with dbapi.connect(task.url) as connection, connection.cursor() as cursor:
        cursor.execute(f"select {NAMES} from lineitem")
        for batch in cursor.fetch_record_batch():
            total.add_arrow(batch)


def connectorx_read(task, total):
    import connectorx

    table = connectorx.read_sql(
        task.url,
        f"select {NAMES} from lineitem",
        return_type="arrow",
        partition_on="l_orderkey",
        partition_num=2,
    )
    for batch in table.to_batches():
        total.add_arrow(batch)


# SQLAlchemy


def alchemy_entity():
    from sqlalchemy import BigInteger, Date, Integer, Numeric, String
    from sqlalchemy.orm import DeclarativeBase, mapped_column

    class Base(DeclarativeBase):
        pass

    types = [BigInteger] * 3 + [Integer] + [Numeric(15, 2)] * 4 + [String] * 2
    types += [Date] * 3 + [String] * 3
    columns = {
        name: mapped_column(kind, primary_key=name in ("l_orderkey", "l_linenumber"))
        for name, kind in zip(COLUMNS, types)
    }
    return type("LineItem", (Base,), {"__tablename__": "lineitem", **columns})


def alchemy_load(task):
    from sqlalchemy import create_engine, insert
    from sqlalchemy.orm import Session

    entity = alchemy_entity()
    engine = create_engine(task.url.replace("postgresql:", "postgresql+psycopg:"))
    with Session(engine) as session:
        for batch in batches(task.file):
            session.execute(insert(entity), [dict(zip(COLUMNS, row)) for row in batch])
        session.commit()


def alchemy_read(task, total):
    from sqlalchemy import create_engine, select
    from sqlalchemy.orm import Session

    entity = alchemy_entity()
    engine = create_engine(task.url.replace("postgresql:", "postgresql+psycopg:"))
    with Session(engine) as session:
        found = session.scalars(select(entity).execution_options(yield_per=10_000))
        for item in found:
            total.add([getattr(item, name) for name in COLUMNS])


def alchemy_async_load(task):
    from sqlalchemy import insert
    from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

    entity = alchemy_entity()

    async def load():
        engine = create_async_engine(task.url.replace("postgresql:", "postgresql+asyncpg:"))
        async with AsyncSession(engine) as session:
            for batch in batches(task.file):
                await session.execute(insert(entity), [dict(zip(COLUMNS, row)) for row in batch])
            await session.commit()
        await engine.dispose()

    asyncio.run(load())


def alchemy_async_read(task, total):
    from sqlalchemy import select
    from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

    entity = alchemy_entity()

    async def read():
        engine = create_async_engine(task.url.replace("postgresql:", "postgresql+asyncpg:"))
        async with AsyncSession(engine) as session:
            options = {"yield_per": 10_000}
            found = await session.stream_scalars(select(entity), execution_options=options)
            async for item in found:
                total.add([getattr(item, name) for name in COLUMNS])
        await engine.dispose()

    asyncio.run(read())


# Django


def django_entity(task):
    import django
    from django.conf import settings

    url = urlsplit(task.url)
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path.lstrip("/"),
        "USER": url.username,
        "PASSWORD": url.password,
        "HOST": url.hostname,
        "PORT": url.port,
    }
    if not settings.configured:
        settings.configure(DATABASES={"default": database}, USE_TZ=False)
        django.setup()
    from django.db import models

    def field(index, name):
        if index < 3:
            return models.BigIntegerField()
        if index == 3:
            return models.IntegerField()
        if index < 8:
            return models.DecimalField(max_digits=15, decimal_places=2)
        if 10 <= index < 13:
            return models.DateField()
        return models.CharField(max_length=44)

    fields = {name: field(index, name) for index, name in enumerate(COLUMNS)}
    meta = type("Meta", (), {"db_table": "lineitem", "app_label": "bench", "managed": False})
    fields["pk"] = models.CompositePrimaryKey("l_orderkey", "l_linenumber")
    return type("LineItem", (models.Model,), {"__module__": "bench", "Meta": meta, **fields})


def django_load(task):
    entity = django_entity(task)
    from django.db import transaction

    with transaction.atomic():
        for batch in batches(task.file):
            items = [entity(**dict(zip(COLUMNS, row))) for row in batch]
            entity.objects.bulk_create(items)


def django_read(task, total):
    entity = django_entity(task)
    for item in entity.objects.all().iterator(chunk_size=10_000):
        total.add([getattr(item, name) for name in COLUMNS])


# Peewee


def peewee_entity(task):
    import peewee

    url = urlsplit(task.url)
    database = peewee.PostgresqlDatabase(
        url.path.lstrip("/"),
        user=url.username,
        password=url.password,
        host=url.hostname,
        port=url.port,
    )
    types = [peewee.BigIntegerField] * 3 + [peewee.IntegerField]
    types += [lambda: peewee.DecimalField(15, 2)] * 4 + [peewee.CharField] * 2
    types += [peewee.DateField] * 3 + [peewee.CharField] * 3
    fields = {name: make() for name, make in zip(COLUMNS, types)}
    key = peewee.CompositeKey("l_orderkey", "l_linenumber")
    meta = type("Meta", (), {"database": database, "table_name": "lineitem", "primary_key": key})
    return database, type("LineItem", (peewee.Model,), {"Meta": meta, **fields})


def peewee_load(task):
    database, entity = peewee_entity(task)
    fields = [getattr(entity, name) for name in COLUMNS]
    with database.atomic():
        for batch in batches(task.file):
            entity.insert_many(batch, fields=fields).execute()


def peewee_read(task, total):
    database, entity = peewee_entity(task)
    from playhouse.postgres_ext import ServerSide

    with database.atomic():
        for item in ServerSide(entity.select()):
            total.add([getattr(item, name) for name in COLUMNS])


# Tortoise


class TortoiseSession:
    def __init__(self, task):
        self.url = task.url.replace("postgresql:", "asyncpg:")

    async def __aenter__(self):
        from tortoise import Tortoise, fields, models

        def field(index, name):
            if index == 0:
                # It knows no keys of two columns: this one is unique enough to insert and to read.
                return fields.BigIntField(primary_key=True, generated=False)
            if index < 4:
                return fields.BigIntField() if index < 3 else fields.IntField()
            if index < 8:
                return fields.DecimalField(15, 2)
            if 10 <= index < 13:
                return fields.DateField()
            return fields.CharField(44)

        meta = type("Meta", (), {"table": "lineitem"})
        columns = {name: field(index, name) for index, name in enumerate(COLUMNS)}
        module = type(sys)("bench_models")
        entity = type("LineItem", (models.Model,), {"Meta": meta, **columns})
        entity.__module__ = "bench_models"
        module.LineItem = entity
        sys.modules["bench_models"] = module
        await Tortoise.init(db_url=self.url, modules={"models": ["bench_models"]})
        return entity

    async def __aexit__(self, *_):
        from tortoise import connections

        await connections.close_all()


def tortoise_load(task):
    async def load():
        async with TortoiseSession(task) as entity:
            from tortoise.transactions import in_transaction

            async with in_transaction():
                for batch in batches(task.file):
                    items = [entity(**dict(zip(COLUMNS, row))) for row in batch]
                    await entity.bulk_create(items)

    asyncio.run(load())


def tortoise_read(task, total):
    async def read():
        async with TortoiseSession(task) as entity:
            # It has no cursors: pages by key, each of whole orders.
            last, page = 0, 2_500
            while True:
                found = await entity.filter(l_orderkey__gt=last, l_orderkey__lte=last + page)
                if not found:
                    break
                for item in found:
                    total.add([getattr(item, name) for name in COLUMNS])
                last += page

    asyncio.run(read())


LOADS = {
    "psycopg COPY": psycopg_copy,
    "asyncpg COPY": asyncpg_copy,
    "ADBC ingest": adbc_ingest,
    "SQLAlchemy psycopg": alchemy_load,
    "SQLAlchemy asyncpg": alchemy_async_load,
    "Django bulk_create": django_load,
    "Peewee insert_many": peewee_load,
    "Tortoise bulk_create": tortoise_load,
}
READS = {
    "psycopg": psycopg_read,
    "asyncpg": asyncpg_read,
    "ADBC": adbc_read,
    "ConnectorX": connectorx_read,
    "SQLAlchemy psycopg": alchemy_read,
    "SQLAlchemy asyncpg": alchemy_async_read,
    "Django": django_read,
    "Peewee": peewee_read,
    "Tortoise": tortoise_read,
}


class Task:
    def __init__(self, words):
        self.url, _, rows, _, _, _, _, self.file, *summed = words
        self.rows = int(rows)
        self.summed = summed == ["summed"]


def main():
    work, name, *words = sys.argv[1:]
    task, total = Task(words), Total()
    if work == "read" and not task.summed:
        READS[name](task, total)
    start, before = time.perf_counter(), time.process_time()
    if work == "file":
        LOADS[name](task)
        total.rows = task.rows
    else:
        count = Count()
        READS[name](task, count)
        assert task.summed or count.rows == total.rows
        total.rows = count.rows
    seconds, client = time.perf_counter() - start, time.process_time() - before
    print(f"answer {seconds} 0 0 0 {client} {total.rows} {total.sum & MASK}")


if __name__ == "__main__":
    main()

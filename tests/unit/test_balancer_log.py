import re
from pathlib import Path

from scenarios.ledgers import Balanced


def test_the_columns_of_the_balancers_ledger_are_those_that_nginx_writes_in_its_order():
    conf = Path("nginx/nginx.conf").read_text()
    written = conf.partition("log_format ledger")[2].partition(";")[0]
    assert tuple(re.findall(r'"\$(\w+)"', written)) == Balanced._fields

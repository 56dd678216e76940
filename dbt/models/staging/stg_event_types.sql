-- The register of events as a table. The rows are those of the macro event_types, from which the models read order and
-- sign when they are compiled: joining the ledger to a table would cost time in every year.
{%- call(types) event_types() %}{{ config(meta={'register': types}) }}{% endcall %}
select
    types.event_type,
    types.order_in_day,
    types.subject,
    types.categories,
    types.account,
    types.sign,
    types.description
from (
    values
    {%- call(types) event_types() -%}
    {%- for type in types %}
    (
        '{{ type.event_type }}',
        {{ loop.index }},
        '{{ type.subject }}',
        {% if type.categories %}['{{ type.categories | join("', '") }}']{% else %}null{% endif %},
        {% if type.account %}'{{ type.account }}'{% else %}null{% endif %},
        {{ type.sign }},
        '{{ type.description | replace("'", "''") }}'
    ){{ ',' if not loop.last }}
    {%- endfor %}
    {%- endcall %}
) as types (event_type, order_in_day, subject, categories, account, sign, description)

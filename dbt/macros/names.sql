{#- Marts live in the simulation's file. Working models live in a database in memory in the compiled model, and in a
    schema of their own in the file when dbt builds, because there one stage is one process. -#}
{% macro generate_database_name(custom_database_name=none, node=none) -%}
    {%- if target.name == 'compiled' and node.config.materialized == 'table' -%} working {%- else -%} planalign {%- endif -%}
{%- endmacro %}

{% macro generate_schema_name(custom_schema_name=none, node=none) -%}
    {%- if target.name != 'compiled' and node.config.materialized == 'table' -%} working {%- else -%} main {%- endif -%}
{%- endmacro %}

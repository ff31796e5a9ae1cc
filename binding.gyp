{
  "targets": [
    {
      "target_name": "tortie",
      "sources": [
        "native/src/addon.cc",
        "native/src/clsact.cc",
        "native/src/clsact_filters.cc",
        "native/src/datagram.cc",
        "native/src/features.cc",
        "native/src/flow_book.cc",
        "native/src/flow_flush.cc",
        "native/src/flow_ledger.cc",
        "native/src/inet_diag.cc",
        "native/src/link.cc",
        "native/src/link_monitor.cc",
        "native/src/map.cc",
        "native/src/map_entries.cc",
        "native/src/map_memory.cc",
        "native/src/net_thread.cc",
        "native/src/netfilter.cc",
        "native/src/netlink.cc",
        "native/src/object.cc",
        "native/src/object_options.cc",
        "native/src/program.cc",
        "native/src/ring_buffer.cc",
        "native/src/section_handlers.cc",
        "native/src/sender.cc",
        "native/src/system.cc",
        "native/src/tcp_load.cc",
        "native/src/udp_sink.cc",
        "native/src/util/errors.cc",
        "native/src/xdp.cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")", "bpf"],
      "defines": ["NAPI_VERSION=8", "NAPI_CPP_EXCEPTIONS", "_GNU_SOURCE"],
      "cflags_cc": ["-std=c++17", "-fvisibility=hidden", "-Wall", "-Wextra"],
      "cflags_cc!": ["-fno-exceptions", "-fno-rtti"],
      "libraries": ["-lbpf"]
    }
  ]
}

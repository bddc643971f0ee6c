// TABLE 1, the vocabulary of everything we export: one row per information element.
//
// Adding an element means adding one row here. Memory layout, wire templates, the libfixbuf model, RFC 5610 records,
// JSON names, docs/ELEMENTS.md and collector mappings all follow. Ids are a promise: see ids.lock.
#pragma once

#include "exporter/schema/element.h"

namespace probe::schema {
namespace table {

constexpr Shape u8(Semantics s = Semantics::plain, Units u = Units::none) { return {Type::u8, u, s}; }
constexpr Shape u16(Semantics s = Semantics::plain, Units u = Units::none) { return {Type::u16, u, s}; }
constexpr Shape u32(Semantics s = Semantics::plain, Units u = Units::none) { return {Type::u32, u, s}; }
constexpr Shape u64(Semantics s = Semantics::plain, Units u = Units::none) { return {Type::u64, u, s}; }
constexpr Shape text(std::uint16_t limit) { return {Type::text, Units::none, Semantics::plain, limit}; }
constexpr Shape microseconds() { return u32(Semantics::plain, Units::microseconds); }
constexpr Shape long_microseconds() { return u64(Semantics::plain, Units::microseconds); }
constexpr Shape count(Units u) { return u64(Semantics::delta_counter, u); }
constexpr Shape small_count(Units u) { return u32(Semantics::delta_counter, u); }
constexpr Shape of(Type t, Semantics s = Semantics::plain) { return {t, Units::none, s}; }

constexpr Row iana(Group g, std::uint16_t id, Shape s, std::string_view n, std::string_view m) {
  return {g, kIana, id, s, n, m};
}
constexpr Row iana_both(Group g, Group reverse, std::uint16_t id, Shape s, std::string_view n, std::string_view m) {
  return {g, kIana, id, s, n, m, Directions::both, reverse};
}
constexpr Row ours(Group g, std::uint16_t id, Shape s, std::string_view n, std::string_view m) {
  return {g, kDocumentationPen, id, s, n, m};
}
constexpr Row ours_both(Group g, Group reverse, std::uint16_t id, Shape s, std::string_view n, std::string_view m) {
  return {g, kDocumentationPen, id, s, n, m, Directions::both, reverse};
}

using enum Group;
inline constexpr auto kId = Semantics::identifier;
inline constexpr auto kFlags = Semantics::flags;
inline constexpr auto kPackets = Units::packets;
inline constexpr auto kOctets = Units::octets;

inline constexpr Row kRows[] = {
    // Which flow
    iana(identity, 148, u64(kId), "flowId",
         "Tells flows apart; the same in every record about one flow, and in every replay."),
    iana(identity, 4, u8(kId), "protocolIdentifier", "IP protocol number."),
    iana(ipv4, 8, of(Type::ipv4), "sourceIPv4Address", "Initiator."),
    iana(ipv4, 12, of(Type::ipv4), "destinationIPv4Address", "Responder."),
    iana(ipv6, 27, of(Type::ipv6), "sourceIPv6Address", "Initiator."),
    iana(ipv6, 28, of(Type::ipv6), "destinationIPv6Address", "Responder."),
    iana(ports, 7, u16(kId), "sourceTransportPort", "Initiator's port."),
    iana(ports, 11, u16(kId), "destinationTransportPort", "Responder's port."),
    iana(icmpv4, 32, u16(kId), "icmpTypeCodeIPv4", "Type * 256 + code of the first packet."),
    iana(icmpv6, 139, u16(kId), "icmpTypeCodeIPv6", "Type * 256 + code of the first packet."),

    // Flow
    iana_both(interval, reverse_times, 152, of(Type::milliseconds), "flowStartMilliseconds",
              "First packet of this record's interval."),
    iana_both(interval, reverse_times, 153, of(Type::milliseconds), "flowEndMilliseconds",
              "Last packet of this record's interval."),
    iana(interval, 154, of(Type::microseconds), "flowStartMicroseconds", "First packet, to the microsecond."),
    iana(interval, 155, of(Type::microseconds), "flowEndMicroseconds", "Last packet, to the microsecond."),
    iana_both(flow, reverse_counts, 1, count(kOctets), "octetDeltaCount",
              "Octets of IP packets, headers included; inside a tunnel those of the inner packets."),
    iana_both(flow, reverse_counts, 2, count(kPackets), "packetDeltaCount", "IP packets; each fragment counts."),
    iana(flow, 136, u8(kId), "flowEndReason",
         "1 idle timeout, 2 active timeout, 3 end of flow, 4 forced end, 5 lack of resources."),
    iana(flow, 239, u8(kId), "biflowDirection", "1 the initiator is known, 0 it was guessed (see measurementQuality)."),
    ours(flow, 1000, u32(kFlags), "measurementQuality",
         "What limits the trust in this record's values; bits in docs/METRICS.md."),
    iana(sampling, 311, of(Type::f64), "samplingProbability",
         "Share of the traffic that is measured, when this flow began; counts are as seen, not scaled up."),
    iana(ip, 5, u8(kId), "ipClassOfService", "Type of service or traffic class of the initiator's first packet."),
    iana_both(ip, reverse_ip, 52, u8(Semantics::plain, Units::hops), "minimumTTL", "Lowest TTL or hop limit."),
    iana_both(tcp, reverse_tcp, 6, u8(kFlags), "tcpControlBits",
              "Control bits of all packets, or-ed (RFC 7125: one octet)."),

    // TCP
    ours(server_handshake, 1002, microseconds(), "tcpServerHandshakeRttMicroseconds",
         "SYN to SYN-ACK: round trip between probe and server."),
    ours(client_handshake, 1001, microseconds(), "tcpClientHandshakeRttMicroseconds",
         "SYN-ACK to ACK: round trip between probe and client."),
    ours(server_rtt, 1021, microseconds(), "tcpServerRttMinMicroseconds",
         "Least round trip of data from the probe to the server and its acknowledgement back."),
    ours(server_rtt, 1022, microseconds(), "tcpServerRttMeanMicroseconds", "Mean of these."),
    ours(server_rtt, 1023, microseconds(), "tcpServerRttMaxMicroseconds", "Greatest of these."),
    ours(server_rtt, 1024, microseconds(), "tcpServerRttStdDevMicroseconds", "Standard deviation of these."),
    ours(server_rtt, 1025, small_count(Units::none), "tcpServerRttCount",
         "How many were measured; retransmitted segments give none (Karn)."),
    ours(client_rtt, 1011, microseconds(), "tcpClientRttMinMicroseconds",
         "Least round trip of data from the probe to the client and its acknowledgement back."),
    ours(client_rtt, 1012, microseconds(), "tcpClientRttMeanMicroseconds", "Mean of these."),
    ours(client_rtt, 1013, microseconds(), "tcpClientRttMaxMicroseconds", "Greatest of these."),
    ours(client_rtt, 1014, microseconds(), "tcpClientRttStdDevMicroseconds", "Standard deviation of these."),
    ours(client_rtt, 1015, small_count(Units::none), "tcpClientRttCount",
         "How many were measured; retransmitted segments give none (Karn)."),
    ours_both(tcp_quality, reverse_tcp_quality, 1007, small_count(kPackets), "tcpRetransmittedPacketCount",
              "Segments sent again: octets seen twice, repeated SYN or FIN, holes filled by a retransmission."),
    ours_both(tcp_quality, reverse_tcp_quality, 1017, count(kOctets), "tcpRetransmittedOctetCount",
              "Payload octets of these segments that were sent again."),
    ours_both(tcp_quality, reverse_tcp_quality, 1019, small_count(kPackets), "tcpRetransmittedBeforeProbePacketCount",
              "Those of them whose first copy never passed the probe: lost between the sender and the probe."),
    ours_both(tcp_quality, reverse_tcp_quality, 1008, small_count(kPackets), "tcpOutOfOrderPacketCount",
              "Segments that the network delayed behind later ones; no retransmissions."),
    ours_both(tcp_quality, reverse_tcp_quality, 1009, small_count(kPackets), "tcpDuplicateAckCount",
              "Duplicate acknowledgements sent (RFC 5681 §2)."),
    ours_both(tcp_quality, reverse_tcp_quality, 1010, small_count(kPackets), "tcpZeroWindowCount",
              "Times the receive window was closed."),
    ours_both(tcp_acknowledged, reverse_tcp_acknowledged, 1020, small_count(kPackets),
              "tcpSpuriousRetransmissionPacketCount",
              "Retransmissions of octets that the receiver had acknowledged already."),
    ours_both(tcp_acknowledged, reverse_tcp_acknowledged, 1018, count(kOctets), "tcpCaptureLossOctetCount",
              "Octets that the receiver acknowledged and the probe never saw: lost by the capture."),
    ours_both(tcp_segment_size, reverse_tcp_segment_size, 1032, u16(Semantics::plain, kOctets), "tcpMaximumSegmentSize",
              "MSS option of the SYN."),
    ours_both(tcp_window, reverse_tcp_window, 1030, u32(Semantics::plain, kOctets), "tcpWindowMinOctets",
              "Least receive window announced, scaled."),

    // TCP, in detail (option metrics.tcp_detail)
    ours(tcp_connection, 1072, u8(kId), "tcpConnectionState",
         "1 unanswered, 2 refused, 3 half open, 4 established, 5 half closed, 6 closed, 7 reset, 8 mid stream, "
         "9 simultaneous open; docs/METRICS.md."),
    ours(tcp_connection, 1073, u8(kId), "tcpEcnNegotiation",
         "0 not seen, 1 not asked for, 2 refused, 3 agreed (RFC 3168 §6.1.1)."),
    ours(tcp_path_handshake, 1074, microseconds(), "tcpPathHandshakeRttMicroseconds",
         "SYN to ACK: round trip of the whole path, if only the client was seen."),
    ours(tcp_unseen, 1075, count(kOctets), "tcpUnseenOctetCount",
         "Octets of the side that was not seen, told by the acknowledgements of the other one."),
    ours(server_rtt_detail, 1060, microseconds(), "tcpServerRttSmoothedMicroseconds",
         "SRTT of RFC 6298 at the end of the interval, between probe and server."),
    ours(server_rtt_detail, 1061, microseconds(), "tcpServerRttVariationMicroseconds", "RTTVAR of RFC 6298 with it."),
    ours(server_rtt_detail, 1062, microseconds(), "tcpServerRttMedianMicroseconds",
         "50th percentile of the samples, to 3 %."),
    ours(server_rtt_detail, 1063, microseconds(), "tcpServerRttPercentile95Microseconds", "95th percentile."),
    ours(server_rtt_detail, 1064, microseconds(), "tcpServerRttPercentile99Microseconds", "99th percentile."),
    ours(server_rtt_detail, 1065, small_count(Units::none), "tcpServerRttPercentileCount",
         "Samples behind these: also those of SACK blocks and of retransmissions that timestamps tell apart."),
    ours(client_rtt_detail, 1066, microseconds(), "tcpClientRttSmoothedMicroseconds",
         "SRTT of RFC 6298 at the end of the interval, between probe and client."),
    ours(client_rtt_detail, 1067, microseconds(), "tcpClientRttVariationMicroseconds", "RTTVAR of RFC 6298 with it."),
    ours(client_rtt_detail, 1068, microseconds(), "tcpClientRttMedianMicroseconds",
         "50th percentile of the samples, to 3 %."),
    ours(client_rtt_detail, 1069, microseconds(), "tcpClientRttPercentile95Microseconds", "95th percentile."),
    ours(client_rtt_detail, 1070, microseconds(), "tcpClientRttPercentile99Microseconds", "99th percentile."),
    ours(client_rtt_detail, 1071, small_count(Units::none), "tcpClientRttPercentileCount",
         "Samples behind these: also those of SACK blocks and of retransmissions that timestamps tell apart."),
    ours_both(tcp_syn, reverse_tcp_syn, 1080, text(128), "tcpSynFingerprint",
              "The SYN, or SYN-ACK, in the style of p0f; docs/METRICS.md."),
    ours_both(tcp_syn, reverse_tcp_syn, 1081, small_count(kPackets), "tcpSynRetryCount",
              "How often the SYN, or SYN-ACK, was repeated."),
    ours_both(tcp_syn, reverse_tcp_syn, 1082, u8(), "tcpWindowScale",
              "Shift of the window scale option; 255: none was offered."),
    ours_both(tcp_syn, reverse_tcp_syn, 1083, u8(kId), "tcpFastOpen",
              "Fast Open option (RFC 7413): 0 none, 1 cookie asked for, 2 cookie, 3 cookie and data."),
    ours_both(tcp_events, reverse_tcp_events, 1084, u8(kId), "tcpResetPhase",
              "When this side reset the connection: 0 it did not, 1 in the handshake, 2 before data, 3 after data, "
              "4 after a FIN."),
    ours_both(tcp_events, reverse_tcp_events, 1085, small_count(kPackets), "tcpKeepAliveCount",
              "Keep-alives sent (RFC 9293 §3.8.4)."),
    ours_both(tcp_events, reverse_tcp_events, 1086, small_count(kPackets), "tcpWindowProbeCount",
              "Probes of a closed window sent (RFC 9293 §3.8.6.1)."),
    ours_both(tcp_events, reverse_tcp_events, 1087, small_count(kPackets), "tcpNetworkDuplicatePacketCount",
              "Packets seen once more that the sender sent once."),
    ours_both(tcp_events, reverse_tcp_events, 1088, small_count(kPackets), "tcpCongestionExperiencedPacketCount",
              "Packets marked CE by the network (RFC 3168 §5)."),
    ours_both(tcp_events, reverse_tcp_events, 1089, small_count(kPackets), "tcpEceCount",
              "Segments with ECE, without those with SYN."),
    ours_both(tcp_events, reverse_tcp_events, 1090, small_count(kPackets), "tcpCwrCount",
              "Segments with CWR, without those with SYN."),
    ours_both(tcp_events, reverse_tcp_events, 1091, small_count(Units::none), "tcpSackBlockCount",
              "SACK blocks sent (RFC 2018), without DSACKs."),
    ours_both(tcp_events, reverse_tcp_events, 1092, small_count(Units::none), "tcpDsackCount",
              "DSACK blocks sent (RFC 2883)."),
    ours_both(tcp_retransmission, reverse_tcp_retransmission, 1100, small_count(kPackets),
              "tcpTimeoutRetransmissionPacketCount", "Retransmissions after a timeout."),
    ours_both(tcp_retransmission, reverse_tcp_retransmission, 1101, small_count(kPackets),
              "tcpRecoveryRetransmissionPacketCount", "Retransmissions that acknowledgements asked for."),
    ours_both(tcp_retransmission, reverse_tcp_retransmission, 1102, small_count(kPackets), "tcpTailProbePacketCount",
              "Tail loss probes (RFC 8985 §7)."),
    ours_both(tcp_retransmission, reverse_tcp_retransmission, 1106, small_count(kPackets),
              "tcpLostBeforeProbePacketCount", "Segments lost between their sender and the probe."),
    ours_both(tcp_retransmission, reverse_tcp_retransmission, 1107, small_count(kPackets),
              "tcpLostAfterProbePacketCount", "Segments lost between the probe and their receiver."),
    ours_both(tcp_retransmission, reverse_tcp_retransmission, 1108, u8(kId), "tcpLossConfidence",
              "Trust in these places: 1 low, 2 medium, 3 high."),
    ours_both(tcp_spurious, reverse_tcp_spurious, 1103, small_count(kPackets), "tcpSpuriousByAckPacketCount",
              "Retransmissions of octets that an acknowledgement had covered before."),
    ours_both(tcp_spurious, reverse_tcp_spurious, 1104, small_count(kPackets), "tcpSpuriousByDsackPacketCount",
              "Retransmissions that a DSACK reported."),
    ours_both(tcp_spurious, reverse_tcp_spurious, 1105, small_count(kPackets), "tcpSpuriousByTimestampPacketCount",
              "Retransmissions whose first copy arrived, as a timestamp echoed proves (RFC 3522)."),
    ours_both(tcp_reordering, reverse_tcp_reordering, 1110, small_count(kPackets),
              "tcpOutOfOrderByTimestampPacketCount", "Segments out of order whose timestamps prove it."),
    ours_both(tcp_reordering, reverse_tcp_reordering, 1111, u32(Semantics::plain, kPackets), "tcpReorderingMaxPackets",
              "Most segments that overtook one."),
    ours_both(tcp_reordering, reverse_tcp_reordering, 1112, microseconds(), "tcpReorderingMaxMicroseconds",
              "Most that one was late behind the first that overtook it."),
    ours_both(tcp_reordering, reverse_tcp_reordering, 1113, microseconds(), "tcpReorderingMeanMicroseconds",
              "Mean of these times."),
    ours_both(tcp_flight, reverse_tcp_flight, 1120, u32(Semantics::plain, kOctets), "tcpInFlightMaxOctets",
              "Most octets sent and not acknowledged, at the probe."),
    ours_both(tcp_flight, reverse_tcp_flight, 1121, u32(Semantics::plain, kOctets), "tcpInFlightMeanOctets",
              "Mean of these over the segments with new data, each included."),
    ours_both(tcp_limits, reverse_tcp_limits, 1122, small_count(Units::none), "tcpWindowFullCount",
              "Times the sender filled the window that its receiver announced."),
    ours_both(tcp_limits, reverse_tcp_limits, 1123, long_microseconds(), "tcpCongestionLimitedMicroseconds",
              "Time in which the network was what the sender waited for."),
    ours_both(tcp_limits, reverse_tcp_limits, 1124, long_microseconds(), "tcpApplicationLimitedMicroseconds",
              "Time in which the sender had nothing to send."),
    ours_both(tcp_limits, reverse_tcp_limits, 1125, long_microseconds(), "tcpReceiverLimitedMicroseconds",
              "Time in which the receiver's window was full."),
    ours_both(tcp_goodput, reverse_tcp_goodput, 1126, count(kOctets), "tcpAcknowledgedOctetCount",
              "Octets sent that the receiver acknowledged."),
    ours_both(tcp_goodput, reverse_tcp_goodput, 1127, u64(), "tcpGoodputBitsPerSecond",
              "These from the first data to the last acknowledgement of data."),
    ours_both(tcp_window_range, reverse_tcp_window_range, 1130, u32(Semantics::plain, kOctets), "tcpWindowMeanOctets",
              "Mean receive window announced by acknowledgements of new data, scaled."),
    ours_both(tcp_window_range, reverse_tcp_window_range, 1131, u32(Semantics::plain, kOctets), "tcpWindowMaxOctets",
              "Greatest receive window announced, scaled."),

    // What the flow carries
    iana(application, 96, text(32), "applicationName", "Protocol of the payload, told by its octets."),
    ours(flow_response, 1006, microseconds(), "responseTimeMeanMicroseconds",
         "Mean time from the last data of the initiator to the first data of the responder after it."),
    iana(vlan, 58, u16(kId), "vlanId", "Outer VLAN id."),
    iana(customer_vlan, 245, u16(kId), "dot1qCustomerVlanId", "Inner VLAN id of QinQ."),
    iana(mpls, 70, of(Type::octets3, kId), "mplsTopLabelStackSection",
         "Label, traffic class and bottom-of-stack bit of the top entry."),
    ours(tunnel, 1040, text(16), "tunnelType", "gre, erspan, vxlan, geneve, gtp-u or ip-in-ip."),
    ours(tunnel_id, 1041, u32(kId), "tunnelIdentifier",
         "VNI, GRE key, ERSPAN session or GTP TEID (of the direction seen first)."),
    iana(mac, 56, of(Type::mac, kId), "sourceMacAddress", "Sender of the initiator's first packet."),
    iana(mac, 80, of(Type::mac, kId), "destinationMacAddress", "Addressee of the initiator's first packet."),

    // Every transaction
    ours(transaction, 1050, u64(kId), "transactionId",
         "Tells the transactions of a flow apart, in their order, from 1."),
    ours(transaction, 1051, of(Type::microseconds), "transactionStartMicroseconds",
         "First octet of the request; of the response if only that was seen."),
    ours(transaction, 1052, count(kOctets), "requestOctetCount",
         "Octets of the request message at the protocol's level."),
    ours(transaction, 1053, u32(kFlags), "transactionQuality",
         "What limits the trust in this record's values; same bits as measurementQuality."),
    ours(response, 1004, long_microseconds(), "responseTimeMicroseconds",
         "Last octet of the request to first octet of the response, at the probe."),
    ours(server_response, 1054, long_microseconds(), "serverResponseTimeMicroseconds",
         "The same less the round trip between probe and server: what the server took."),
    ours(client_response, 1055, long_microseconds(), "timeToFirstByteMicroseconds",
         "First octet of the request to first octet of the response, as the client sees it."),
    ours(last_byte, 1005, long_microseconds(), "timeToLastByteMicroseconds",
         "First octet of the request to last octet of the response, at the probe."),
    ours(last_byte, 1056, count(kOctets), "responseOctetCount",
         "Octets of the response message at the protocol's level."),

    // HTTP (RFC 9110, 9112)
    iana(http_request, 459, text(24), "httpRequestMethod", "Method."),
    iana(http_request, 460, text(254), "httpRequestHost", "Host field, or authority of the target."),
    iana(http_request, 461, text(1024), "httpRequestTarget", "Request target as sent."),
    iana(http_request, 462, text(16), "httpMessageVersion",
         "Version of the request; of the response if only that was seen."),
    iana(http_request, 468, text(254), "httpUserAgent", "User-Agent field."),
    ours(http_request, 1200, text(512), "httpReferer", "Referer field."),
    ours(http_request, 1204, text(254), "httpForwardedFor", "X-Forwarded-For or Forwarded field."),
    iana(http_status, 457, u16(kId), "httpStatusCode", "Status of the final response."),
    iana(http_response, 469, text(128), "httpContentType", "Content-Type of the response."),

    // DNS (RFC 1035, 6891, 6762, 4795)
    ours(dns_query, 1300, text(254), "dnsQueryName",
         "Name of the first question, lower case, special characters escaped (RFC 4343 §2.1)."),
    ours(dns_query, 1301, u16(kId), "dnsQueryType", "Type of the first question."),
    ours(dns_query, 1308, u16(kId), "dnsQueryClass", "Class of the first question."),
    ours(dns_query, 1303, u16(kId), "dnsId", "Message id."),
    ours(dns_query, 1309, u16(kFlags), "dnsFlags", "Second word of the header: of the response, else of the query."),
    ours(dns_query, 1310, small_count(kPackets), "dnsQueryCount",
         "How often the query was sent; 0 if only the response was seen."),
    ours(dns_response, 1302, u16(kId), "dnsResponseCode", "RCODE, with the upper bits of EDNS."),
    ours(dns_response, 1305, u16(), "dnsAnswerCount", "Records in the answer section."),
    ours(dns_response, 1304, text(512), "dnsAnswer", "Data of the answer records, separated by commas."),
    ours(dns_response, 1306, text(128), "dnsAnswerTtl", "Their TTLs in seconds, in the same order."),
    ours(dns_edns, 1311, u16(Semantics::plain, kOctets), "dnsEdnsUdpSize",
         "UDP payload size that the OPT record announces."),

    // SQL
    ours(sql_session, 1600, text(16), "databaseSystem", "mysql, mariadb, postgresql … (names of OpenTelemetry)."),
    ours(sql_session, 1601, text(64), "databaseUser", "User of the login."),
    ours(sql_session, 1602, text(64), "databaseName", "Schema in use, if the probe saw it chosen."),
    ours(sql_session, 1611, text(48), "databaseServerVersion", "As the server greeted."),
    ours(sql_statement, 1603, text(1024), "databaseStatement", "The statement as sent."),
    ours(sql_statement, 1607, text(1024), "databaseStatementDigestText",
         "The statement with its literals replaced by ?."),
    ours(sql_statement, 1604, text(16), "databaseStatementDigest",
         "Hash of the digest text, in hexadecimal: equal for statements that differ in literals only."),
    ours(sql_statement, 1608, text(32), "databaseOperation", "First keyword of the statement, or the command."),
    ours(sql_rows, 1606, count(Units::none), "databaseRowCount", "Rows of all result sets."),
    ours(sql_affected, 1609, count(Units::none), "databaseAffectedRowCount", "Rows changed, as the server says."),
    ours(sql_error, 1605, u32(kId), "databaseErrorCode", "Error number of the server."),
    ours(sql_error_text, 1610, text(8), "databaseSqlState", "SQLSTATE."),
    ours(sql_error_text, 1612, text(254), "databaseErrorMessage", "Message of the error."),
};

}  // namespace table

// Kinds of record and the groups each may hold.
struct Kind {
  std::string_view name;
  std::string_view meaning;
  Groups groups;
};

namespace table {
constexpr Kind kind(std::string_view name, std::string_view meaning, std::initializer_list<Group> groups) {
  Kind k{name, meaning, {}};
  for (const Group g : groups) k.groups |= bit_of(g);
  return k;
}

inline constexpr Kind kKinds[] = {
    kind("flow", "Who talked to whom, how much and how well: one per biflow and active timeout.",
         {identity,
          ipv4,
          ipv6,
          ports,
          icmpv4,
          icmpv6,
          interval,
          flow,
          reverse_counts,
          sampling,
          ip,
          reverse_ip,
          tcp,
          reverse_tcp,
          server_handshake,
          client_handshake,
          server_rtt,
          client_rtt,
          tcp_quality,
          reverse_tcp_quality,
          tcp_acknowledged,
          reverse_tcp_acknowledged,
          tcp_segment_size,
          reverse_tcp_segment_size,
          tcp_window,
          reverse_tcp_window,
          application,
          flow_response,
          vlan,
          mpls,
          tunnel,
          tunnel_id,
          mac,
          customer_vlan,
          reverse_times,
          tcp_connection,
          tcp_path_handshake,
          tcp_unseen,
          server_rtt_detail,
          client_rtt_detail,
          tcp_retransmission,
          reverse_tcp_retransmission,
          tcp_spurious,
          reverse_tcp_spurious,
          tcp_reordering,
          reverse_tcp_reordering,
          tcp_flight,
          reverse_tcp_flight,
          tcp_limits,
          reverse_tcp_limits,
          tcp_goodput,
          reverse_tcp_goodput,
          tcp_window_range,
          reverse_tcp_window_range,
          tcp_syn,
          reverse_tcp_syn,
          tcp_events,
          reverse_tcp_events}),
    kind("http", "One HTTP/1 request and its response.",
         {identity, ipv4, ipv6, ports, transaction, response, server_response, client_response, last_byte, http_request,
          http_status, http_response}),
    kind("dns", "One DNS question and its answer.",
         {identity, ipv4, ipv6, ports, transaction, response, server_response, client_response, last_byte, dns_query,
          dns_response, dns_edns}),
    kind("sql", "One statement or command to a database and its result.",
         {identity, ipv4, ipv6, ports, transaction, response, server_response, client_response, last_byte, sql_session,
          sql_statement, sql_rows, sql_affected, sql_error, sql_error_text}),
};
}  // namespace table

using table::kKinds;
inline constexpr std::size_t kKindCount = std::size(kKinds);

}  // namespace probe::schema

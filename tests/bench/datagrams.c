/* The peer of labs 1 and 5: a loop of recvfrom() and sendto(), as plain as C can say it.
 *
 * `datagrams PORT MEMBERS`. The first MEMBERS datagrams are hellos: each goes back to its sender,
 * who is a member from then on. Every later one goes to all members. With 0 MEMBERS every datagram
 * goes back to its sender. It logs nothing but that it can be reached.
 */

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

int main(int count, char **words)
{
    if (count != 3)
        return 2;
    int port = atoi(words[1]), members = atoi(words[2]), known = 0;
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port)}, from;
    struct sockaddr_in *all = calloc(members + 1, sizeof from);
    char data[65507]; /* the longest datagram of IPv4 */

    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int sock = socket(AF_INET, SOCK_DGRAM, 0);
    if (!all || sock < 0 || bind(sock, (struct sockaddr *)&here, sizeof here) < 0) {
        perror("datagrams");
        return 1;
    }
    printf("Listening on 127.0.0.1:%d\n", port);
    fflush(stdout);
    for (;;) {
        socklen_t length = sizeof from;
        ssize_t size = recvfrom(sock, data, sizeof data, 0, (struct sockaddr *)&from, &length);
        if (size < 0)
            continue;
        if (known < members || members == 0) {
            sendto(sock, data, size, 0, (struct sockaddr *)&from, length);
            if (known < members)
                all[known++] = from;
            continue;
        }
        for (int i = 0; i < members; i++)
            sendto(sock, data, size, 0, (struct sockaddr *)&all[i], sizeof all[i]);
    }
}
